/** What only a real server can show of writes: who was missed, what a taken value is called, and what holds beside others. */
import {
  type Collection,
  ConfigurationError,
  type EntityModel,
  ForeignKeyViolationError,
  From,
  Id,
  InvalidValueError,
  Node,
  NotNullViolationError,
  Property,
  type Ref,
  Related,
  Relationship,
  StoreBusyError,
  StoreweaveError,
  TimeoutError,
  To,
  Unique,
  UniqueViolationError,
  type UpdateBatch,
  Version,
} from '@storeweave/core';
import type { Transaction } from 'neo4j-driver';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { neo4j } from './neo4j.js';
import { fieldOf, type OpenedStore, openStore } from './servers.fixture.js';

@Node({ label: 'Pe`ople \\u0060) DETACH DELETE n //' })
@Unique(['first', 'last'])
class Person {
  @Id('integer') id!: number;
  @Property('string', { nullable: true }) first!: string | null;
  @Property('string', { nullable: true }) last!: string | null;
  @Property('integer') points!: number;
  @Version() version!: number;
  @Related(() => Person, 'LI`KES') likes!: Collection<Person>;
}

@Relationship({ type: 'OWES' })
class Debt {
  @Id('integer') id!: number;
  @From(() => Person) from!: Ref<Person>;
  @To(() => Person) to!: Ref<Person>;
  @Property('decimal', { scale: 2, precision: 10 }) amount!: string;
  @Version() version!: number;
}

describe('writes', () => {
  let opened: OpenedStore;
  let person: EntityModel;
  let debt: EntityModel;
  let likes: EntityModel;

  beforeAll(async () => {
    opened = await openStore([Person, Debt]);
    person = opened.of(Person);
    debt = opened.of(Debt);
    likes = opened.link('LI`KES');
  });
  afterAll(() => opened?.store.close());
  beforeEach(async () => {
    for (const entity of [debt, likes, person])
      await opened.store.bulk({ op: 'deleteWhere', entity, where: { op: 'and', conditions: [] } }, {});
  });

  const people = (...ids: number[]) =>
    opened.insert(
      person,
      ids.map((id) => [id, `first ${id}`, null, 0, 1]),
    );
  const all = (entity: EntityModel) =>
    opened.store.read(
      {
        entity,
        fields: entity.fields,
        order: entity.ids.map((id) => ({ on: { field: id }, direction: 'asc', nulls: 'last' })),
      },
      {},
    );
  const refusal = async (work: Promise<unknown>): Promise<StoreweaveError> => {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof StoreweaveError) return error;
    throw new Error(`It was not refused: ${String(error)}`);
  };

  it('tells by position who was not there or had another version, and writes the others', async () => {
    await people(1, 2, 3);
    const fields = ['points', 'version'].map((name) => fieldOf(person, name));
    const update = { op: 'update', entity: person, fields, rows: [1, 2, 3, 4].map((n) => [n * 10, 2]) } as const;
    expect(await opened.store.write({ ...update, keys: [[1], [2], [9], [3]], versions: [1, 7, 1, 1] }, {})).toEqual({
      count: 2,
      missed: [1, 2],
    });
    expect((await all(person)).map((row) => row[3])).toEqual([10, 0, 40]);
    expect(
      await opened.store.write({ op: 'delete', entity: person, keys: [[1], [2], [8]], versions: [1, 1, 1] }, {}),
    ).toEqual({ count: 1, missed: [0, 2] });
  });

  it('names entity, properties and constraint of a taken value', async () => {
    await opened.insert(person, [[1, 'Ada', "L' = `x`", 0, 1]]);
    const twice = await refusal(opened.insert(person, [[2, 'Ada', "L' = `x`", 0, 1]]));
    expect(twice).toBeInstanceOf(UniqueViolationError);
    expect([twice.entity, twice.property, twice.cause !== undefined]).toEqual(['Person', 'first, last', true]);
    const key = await refusal(opened.insert(person, [[1, null, null, 0, 1]]));
    expect([key.code, key.property, key.constraint]).toEqual([
      'UNIQUE_VIOLATION',
      'id',
      `${opened.labelPrefix}${person.source}_pkey`,
    ]);
    expect(await all(person)).toHaveLength(1);
  });

  it('refuses a second link between two nodes, and with ignore passes over it', async () => {
    await people(1, 2);
    await opened.insert(likes, [[1, 2]]);
    expect(
      await refusal(
        opened.insert(likes, [
          [2, 1],
          [1, 2],
        ]),
      ),
    ).toBeInstanceOf(UniqueViolationError);
    expect(await all(likes)).toEqual([[1, 2]]);
    const batch = {
      op: 'insert',
      entity: likes,
      fields: likes.fields,
      rows: [
        [2, 1],
        [1, 2],
      ],
    } as const;
    const lenient = { ...batch, rows: batch.rows.map((row) => [...row]), onConflict: { do: 'ignore' } } as const;
    expect(await opened.store.write(lenient, {})).toMatchObject({ count: 1 });
    expect(await all(likes)).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it('makes one link where many make the same at once', async () => {
    await people(1, 2);
    const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => opened.insert(likes, [[1, 2]])));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of attempts)
      if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(UniqueViolationError);
    expect(await all(likes)).toEqual([[1, 2]]);
  });

  it('refuses a relationship to a node that is not there, with nothing kept, and takes it along when a node goes', async () => {
    await people(1, 2);
    const error = await refusal(
      opened.insert(debt, [
        [1, 1, 2, '5', 1],
        [2, 1, 9, '5', 1],
      ]),
    );
    expect(error).toBeInstanceOf(ForeignKeyViolationError);
    expect(error.message).toMatch(/1 .* 9/s);
    expect(await all(debt)).toEqual([]);
    await opened.insert(debt, [[1, 1, 2, '5', 1]]);
    await opened.store.write({ op: 'delete', entity: person, keys: [[2]] }, {});
    expect(await all(debt)).toEqual([]);
  });

  it('moves a relationship to another node with all it has', async () => {
    await people(1, 2, 3);
    await opened.insert(debt, [
      [1, 1, 2, '5.50', 1],
      [2, 1, 2, '7', 1],
    ]);
    const fields = ['to', 'version'].map((name) => fieldOf(debt, name));
    const move = { op: 'update', entity: debt, fields } as const;
    expect(
      await opened.store.write(
        {
          ...move,
          rows: [
            [3, 2],
            [3, 2],
          ],
          keys: [[1], [2]],
          versions: [1, 5],
        },
        {},
      ),
    ).toEqual({
      count: 1,
      missed: [1],
    });
    expect(await all(debt)).toEqual([
      [1, 1, 3, '5.50', 2],
      [2, 1, 2, '7.00', 1],
    ]);
    const nowhere = opened.store.write({ ...move, rows: [[9, 3]], keys: [[1]] }, {});
    expect(await refusal(nowhere)).toBeInstanceOf(ForeignKeyViolationError);
    expect(await all(debt)).toHaveLength(2);
    const where = { op: 'and', conditions: [] } as const;
    const set = [{ field: fieldOf(debt, 'from'), value: 2 }];
    const increment = [{ field: fieldOf(debt, 'amount'), by: '0.05' }];
    expect(await opened.store.bulk({ op: 'updateWhere', entity: debt, where, set, increment }, {})).toBe(2);
    expect((await all(debt)).map((row) => row.slice(1, 4))).toEqual([
      [2, 3, '5.55'],
      [2, 2, '7.05'],
    ]);
  });

  it('upserts relationships by their key', async () => {
    await people(1, 2);
    await opened.insert(debt, [[1, 1, 2, '5', 1]]);
    const onConflict = { do: 'update', update: ['amount', 'version'].map((name) => fieldOf(debt, name)) } as const;
    const rows = [
      [1, 1, 2, '6', 1],
      [2, 2, 1, '7', 1],
    ];
    await opened.store.write({ op: 'insert', entity: debt, fields: debt.fields, rows, onConflict }, {});
    expect(await all(debt)).toEqual([
      [1, 1, 2, '6.00', 2],
      [2, 2, 1, '7.00', 1],
    ]);
  });

  it('loses no update where many read a version and write the next', async () => {
    await people(1);
    const fields = ['points', 'version'].map((name) => fieldOf(person, name));
    let written = 0;
    const worker = async () => {
      for (let i = 0; i < 12; i++) {
        const [row = []] = await opened.store.read({ entity: person, fields }, {});
        const [points, version] = row as [number, number];
        const update: UpdateBatch = {
          op: 'update',
          entity: person,
          fields,
          rows: [[points + 1, version + 1]],
          keys: [[1]],
          versions: [version],
        };
        const { count } = await opened.store.write(update, {});
        written += count;
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
    expect(written).toBeGreaterThan(0);
    expect((await all(person)).map((row) => [row[3], row[4]])).toEqual([[written, written + 1]]);
  });

  it('refuses absent values, and values that would come back as others', async () => {
    expect(await refusal(opened.insert(person, [[1, null, null, null, 1]]))).toBeInstanceOf(NotNullViolationError);
    const surrogate = await refusal(opened.insert(person, [[1, '\ud800', null, 0, 1]]));
    expect(surrogate).toBeInstanceOf(InvalidValueError);
    expect([surrogate.entity, surrogate.property]).toEqual(['Person', 'first']);
    expect(await refusal(opened.insert(person, [[1, 'x'.repeat(20_000), 'y', 0, 1]]))).toBeInstanceOf(
      InvalidValueError,
    );
    expect(await all(person)).toEqual([]);
  });

  it('runs native statements in the running transaction', async () => {
    await people(1);
    const transaction = await opened.store.domain.begin({});
    const native = opened.store.native({ transaction }) as Transaction;
    const label = `${opened.labelPrefix}${person.source}`;
    await native.run('MATCH (n) WHERE any(l IN labels(n) WHERE l = $label) SET n.points = 7', { label });
    expect(
      (await opened.store.read({ entity: person, fields: [fieldOf(person, 'points')] }, { transaction }))[0],
    ).toEqual([7]);
    await transaction.rollback();
    expect((await all(person)).map((row) => row[3])).toEqual([0]);
    expect(() => opened.store.native({ transaction })).toThrow(StoreweaveError);
  });

  it('ends a wait for a lock with the time limit, and leaves the lock', async () => {
    await people(1);
    const transaction = await opened.store.domain.begin({});
    await opened.store.read({ entity: person, fields: person.ids, lock: 'update' }, { transaction });
    const where = { op: 'and', conditions: [] } as const;
    const increment = [{ field: fieldOf(person, 'points'), by: 1 }];
    const late = opened.store.bulk(
      { op: 'updateWhere', entity: person, where, set: [], increment },
      { timeoutMs: 200 },
    );
    expect(await refusal(late)).toBeInstanceOf(TimeoutError);
    await transaction.commit();
    expect((await all(person)).map((row) => row[3])).toEqual([0]);
  });

  it('hands on bookmarks, and waits for those of others', async () => {
    await people(1);
    const token = (await opened.store.causality.token()) ?? '';
    expect(token).not.toBe('');
    const other = neo4j(opened.options);
    await other.open({ name: 'graph', entities: opened.entities });
    await other.causality.observe(token);
    expect(await other.count(person, undefined, {})).toBe(1);
    await expect(other.causality.observe('not a bookmark')).rejects.toThrow(/causal token/);
    expect(await other.count(person, undefined, {})).toBe(1);
    await other.close();
  });

  it('says that it is busy where no connection becomes free', async () => {
    const busy = neo4j({ ...opened.options, poolSize: 1, acquireTimeoutMs: 150 });
    await busy.open({ name: 'graph', entities: opened.entities });
    const transaction = await busy.domain.begin({});
    expect(await refusal(busy.count(person, undefined, {}))).toBeInstanceOf(StoreBusyError);
    await transaction.rollback();
    expect(await busy.count(person, undefined, {})).toBe(0);
    await busy.close();
  });

  it('is refused options that cannot be meant', () => {
    expect(() => neo4j({ url: 'http://localhost' })).toThrow(ConfigurationError);
    expect(() => neo4j({ url: 'bolt://localhost', username: 'x' })).toThrow(ConfigurationError);
  });
});
