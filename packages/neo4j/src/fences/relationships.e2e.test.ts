/** Fences between nodes: what hangs on what, who may not go away meanwhile, and what no walk shows before the decision. */
import {
  type Collection,
  type EntityModel,
  FencedError,
  type FenceOwner,
  ForeignKeyViolationError,
  From,
  Id,
  Node,
  Property,
  type Ref,
  Related,
  Relational,
  Relationship,
  To,
  Unique,
  UniqueViolationError,
  Version,
} from '@storeweave/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fieldOf, openStore } from '../servers.fixture.js';
import { Bench, unit } from './bench.fixture.js';

@Node({ label: 'Town' })
class Town {
  @Id('integer') id!: number;
  @Property('integer') people!: number;
  @Related(() => Town, 'NEAR') near!: Collection<Town>;
}

@Relational()
class Carrier {
  @Id('integer') id!: number;
}

@Relationship({ type: 'ROAD' })
@Unique(['sign'])
class Road {
  @Id('integer') id!: number;
  @From(() => Town) from!: Ref<Town>;
  @To(() => Town) to!: Ref<Town>;
  @Property('string', { nullable: true }) sign!: string | null;
  @Property('integer') km!: number;
  @Version() version!: number;
}

@Relationship({ type: 'SERVES' })
class Service {
  @From(() => Carrier) from!: Ref<Carrier>;
  @To(() => Town) to!: Ref<Town>;
  @Property('integer') trips!: number;
}

const ALL = { op: 'and', conditions: [] } as const;

describe('fences on relationships', () => {
  let bench: Bench;
  let town: EntityModel;
  let road: EntityModel;
  let service: EntityModel;
  let near: EntityModel;
  let ends: readonly [string, string];

  beforeAll(async () => {
    const opened = await openStore([Town, Carrier, Road, Service], { fenced: true });
    bench = new Bench(opened);
    [town, road, service, near] = [opened.of(Town), opened.of(Road), opened.of(Service), opened.link('NEAR')];
    const endpoints = near.endpoints;
    ends = [endpoints?.from.fields[0]?.name ?? '', endpoints?.to.fields[0]?.name ?? ''];
  });
  afterAll(() => bench?.store.close());
  beforeEach(async () => {
    await bench.clear();
    await bench.write(towns(1, 2, 3));
  });

  const towns = (...ids: number[]) => bench.insert(town, ...ids.map((id) => ({ id, people: 0 })));
  const roads = (...rows: readonly (readonly [id: number, from: number, to: number, sign?: string])[]) =>
    bench.insert(
      road,
      ...rows.map(([id, from, to, sign = null]) => ({
        id,
        [endOf('from')]: from,
        [endOf('to')]: to,
        sign,
        km: 0,
        version: 1,
      })),
    );
  const endOf = (side: 'from' | 'to', entity = road) => entity.endpoints?.[side].fields[0]?.name ?? '';
  const pairs = (...rows: readonly (readonly [number, number])[]) =>
    bench.insert(near, ...rows.map(([from, to]) => ({ [ends[0]]: from, [ends[1]]: to })));
  const services = (...rows: readonly (readonly [number, number])[]) =>
    bench.insert(
      service,
      ...rows.map(([from, to]) => ({ [endOf('from', service)]: from, [endOf('to', service)]: to, trips: 0 })),
    );
  const shownRoads = async () => (await bench.rows(road, 'id', endOf('from'), endOf('to'))).map((row) => row.join(' '));
  const refusedBy = async (owner: FenceOwner, write: () => Promise<unknown>) => {
    const error = await write().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FencedError);
    expect((error as FencedError).owners).toEqual([owner]);
  };

  /** Every way to walk from town 1; they must agree. */
  async function reached(): Promise<number[]> {
    const { graph } = bench.store;
    const found = new Set<number>();
    for (const steps of [
      [road, near].map((relationship) => ({ relationship, direction: 'out' as const })),
      [road, near].map((relationship) => ({
        relationship,
        direction: relationship === road ? ('out' as const) : ('both' as const),
      })),
    ]) {
      const all: number[][] = [];
      for (const unique of ['vertices', 'paths'] as const) {
        const paths = await graph.traverse({ from: town, keys: [[1]], steps, minDepth: 1, maxDepth: 4, unique }, {});
        all.push([...new Set(paths.map(({ vertices }) => Number(vertices.at(-1)?.key[0])))].sort());
      }
      const ends: number[] = [];
      for (const id of [2, 3, 4, 5]) {
        const to = { entity: 'Town', key: [id] };
        const path = await graph.shortestPath({ from: { entity: 'Town', key: [1] }, to, steps, maxDepth: 4 }, {});
        if (path !== undefined) ends.push(id);
      }
      expect(all).toEqual([ends, ends]);
      for (const id of ends) found.add(id);
    }
    return [...found].sort();
  }

  it('shows what is new to no read and no walk before it is installed', async () => {
    const owner = unit();
    const first = [towns(4, 5), roads([1, 1, 4]), pairs([4, 5])];
    await bench.fenced(owner, ...first);
    await bench.fenced(owner, roads([2, 5, 2]), services([7, 4]));
    const [relation] = [town.relationsByName.get('near')];
    const related = () => bench.store.count(town, relation && { op: 'related', relation, where: ALL }, {});
    expect(await bench.rows(town, 'id')).toEqual([[1], [2], [3]]);
    expect([await shownRoads(), await bench.rows(near, ends[0]), await bench.rows(service, 'trips')]).toEqual([
      [],
      [],
      [],
    ]);
    expect([await reached(), await related()]).toEqual([[], 0]);
    const all = [...first, roads([2, 5, 2]), services([7, 4])];
    for (let turn = 0; turn < 2; turn++) await bench.apply(owner, ...all);
    expect(await bench.rows(town, 'id')).toEqual([[1], [2], [3], [4], [5]]);
    expect([await shownRoads(), await bench.rows(near, ...ends)]).toEqual([['1 1 4', '2 5 2'], [[4, 5]]]);
    expect([await reached(), await related()]).toEqual([[2, 4, 5], 1]);
    expect((await bench.stored()).marked).toBe(0);
  });

  it.each(['unfence', 'unfenceAll'] as const)(
    '%s removes what was added, and references only where nothing else hangs on them',
    async (way) => {
      await bench.write(services([7, 1]));
      const before = await bench.stored();
      const [owner, other] = [unit(), unit()];
      const batches = [towns(4), roads([1, 1, 4]), pairs([1, 4], [1, 2]), services([7, 4], [8, 4], [9, 2])];
      await bench.fenced(owner, ...batches);
      await bench.fenced(other, services([9, 3]));
      for (let turn = 0; turn < 2; turn++)
        await (way === 'unfence' ? bench.unfence(owner, ...batches) : bench.participant.unfenceAll(owner, {}));
      // Carrier 9 and what the other has hung on it.
      expect(await bench.stored()).toEqual({
        nodes: before.nodes + 1,
        relationships: before.relationships + 1,
        marked: 1,
      });
      await bench.unfence(other, services([9, 3]));
      expect(await bench.stored()).toEqual(before);
    },
  );

  it('refuses an end that is not there, and waits for one that is not decided or about to go', async () => {
    const [first, second] = [unit(), unit()];
    await expect(bench.fence(first, roads([1, 1, 99]))).rejects.toThrow(ForeignKeyViolationError);
    await bench.fenced(first, towns(4), bench.remove(town, [3]), bench.update(town, [[2]], { people: 5 }));
    for (const id of [3, 4]) {
      for (const batch of [roads([1, 1, id]), roads([1, id, 1]), pairs([1, id]), pairs([id, id]), services([7, id])]) {
        expect(await bench.fence(second, batch)).toEqual({ missed: [], held: [first] });
        await refusedBy(first, () => bench.write(batch));
        await refusedBy(first, () => bench.write({ ...batch, onConflict: { do: 'ignore' } }));
      }
    }
    expect((await bench.stored()).relationships).toBe(0);
    expect(await bench.owners()).toEqual([first]);
    // A change of a node is none of what hangs on it.
    await bench.fenced(second, roads([1, 1, 2]));
    await bench.write(pairs([1, 2]));
  });

  it('keeps a node that something fenced hangs on', async () => {
    await bench.write(roads([1, 1, 2], [2, 2, 3]));
    const [first, second] = [unit(), unit()];
    await bench.fenced(first, bench.update(road, [[1]], { km: 5 }, 1), pairs([3, 3]));
    for (const id of [1, 2, 3]) {
      expect(await bench.fence(second, bench.remove(town, [id]))).toEqual({ missed: [], held: [first] });
      await refusedBy(first, () => bench.write(bench.remove(town, [id])));
    }
    await refusedBy(first, () => bench.store.bulk({ op: 'deleteWhere', entity: town, where: ALL }, {}));
    await bench.apply(first, bench.update(road, [[1]], { km: 5 }, 1), pairs([3, 3]));
    expect(await bench.rows(road, 'id', 'km')).toEqual([
      [1, 5],
      [2, 0],
    ]);
    const gone = bench.remove(town, [2]);
    await bench.fenced(second, gone);
    expect(await bench.fence(first, bench.update(road, [[2]], { km: 1 }))).toEqual({ missed: [], held: [second] });
    await bench.apply(second, gone);
    expect([await bench.rows(town, 'id'), await shownRoads()]).toEqual([[[1], [3]], []]);
  });

  it('lets a node go or a relationship be fenced on it, however close they come', async () => {
    for (let turn = 0; turn < 25; turn++) {
      const [owner, id] = [unit(), 100 + turn];
      await bench.write(towns(id));
      const isNew = turn % 2 === 0;
      const batch = isNew ? roads([id, 1, id]) : bench.update(road, [[id]], { km: 9 }, 1);
      if (!isNew) await bench.write(roads([id, 1, id]));
      const [fenced, removed] = await Promise.allSettled([
        bench.fence(owner, batch),
        bench.write(bench.remove(town, [id])),
      ]);
      const isFenced = fenced.status === 'fulfilled' && fenced.value.missed.length + fenced.value.held.length === 0;
      expect([isFenced, removed.status]).toEqual(isFenced ? [true, 'rejected'] : [false, 'fulfilled']);
      await bench.apply(owner, batch);
      expect(await bench.store.count(road, { op: 'eq', on: { field: fieldOf(road, 'id') }, value: id }, {})).toBe(
        isFenced ? 1 : 0,
      );
    }
    expect((await bench.stored()).marked).toBe(0);
  });

  it('gives a pair to one of many, and refuses one that is there', async () => {
    const owners = Array.from({ length: 12 }, unit);
    const outcomes = await Promise.all(owners.map((owner) => bench.fence(owner, pairs([1, 2]), services([7, 1]))));
    const winners = owners.filter((_, i) => outcomes[i]?.held.length === 0);
    expect(winners).toHaveLength(1);
    const [winner] = winners as [FenceOwner];
    await refusedBy(winner, () => bench.write(pairs([1, 3], [1, 2])));
    await refusedBy(winner, () =>
      bench.write({ ...services([7, 1]), onConflict: { do: 'update', update: [fieldOf(service, 'trips')] } }),
    );
    await refusedBy(winner, () => bench.write(bench.remove(near, [1, 2])));
    expect((await bench.stored()).relationships).toBe(2);
    await bench.apply(winner, pairs([1, 2]), services([7, 1]));
    await expect(bench.fence(unit(), pairs([1, 2]))).rejects.toThrow(UniqueViolationError);
    expect(await bench.rows(near, ...ends)).toEqual([[1, 2]]);
  });

  it('moves a relationship when it is applied, and holds its new ends until then', async () => {
    await bench.write(roads([1, 1, 2, 'A1']));
    const [owner, other] = [unit(), unit()];
    const batch = bench.update(road, [[1]], { [endOf('to')]: 3, km: 7, version: 2 }, 1);
    await bench.fenced(owner, batch);
    expect(await shownRoads()).toEqual(['1 1 2']);
    for (const id of [1, 2, 3]) await refusedBy(owner, () => bench.write(bench.remove(town, [id])));
    await bench.unfence(owner, batch);
    expect(await bench.stored()).toEqual({ nodes: 3, relationships: 1, marked: 0 });
    await bench.fenced(other, batch);
    for (let turn = 0; turn < 2; turn++) await bench.apply(other, batch);
    expect(await bench.rows(road, 'id', endOf('to'), 'sign', 'km', 'version')).toEqual([[1, 3, 'A1', 7, 2]]);
    expect(await bench.stored()).toEqual({ nodes: 3, relationships: 1, marked: 0 });
    const next = unit();
    await bench.fenced(next, towns(4), bench.remove(town, [2]));
    await refusedBy(next, () => bench.write(bench.update(road, [[1]], { [endOf('to')]: 4 })));
    await refusedBy(next, () => bench.write(bench.update(road, [[1]], { [endOf('to')]: 2 })));
    await expect(bench.fence(unit(), bench.update(road, [[1]], { [endOf('to')]: 99 }))).rejects.toThrow(
      ForeignKeyViolationError,
    );
    await bench.unfence(next, towns(4), bench.remove(town, [2]));
  });

  it('reserves unique values of relationships, lets them be traded, and leaves nothing behind', async () => {
    await bench.write(roads([1, 1, 2, 'A1'], [2, 2, 3, 'A2']));
    const before = await bench.stored();
    const [owner, other] = [unit(), unit()];
    const batch = bench.update(road, [[1]], { sign: 'A9' });
    await bench.fenced(owner, batch);
    expect(await shownRoads()).toHaveLength(2);
    expect(await bench.fence(other, roads([3, 1, 3, 'A9']))).toEqual({ missed: [], held: [owner] });
    await refusedBy(owner, () => bench.write(bench.update(road, [[2]], { sign: 'A9' })));
    await expect(bench.fence(other, bench.update(road, [[2]], { sign: 'A1' }))).resolves.toMatchObject({
      held: [owner],
    });
    await bench.unfence(owner, batch);
    expect(await bench.stored()).toEqual(before);
    await bench.fenced(other, batch);
    await bench.apply(other, batch);
    const trade = [bench.update(road, [[1], [2]], [{ sign: 'A2' }, { sign: 'A9' }])];
    await bench.fenced(owner, ...trade);
    for (let turn = 0; turn < 2; turn++) await bench.apply(owner, ...trade);
    expect(await bench.rows(road, 'id', 'sign')).toEqual([
      [1, 'A2'],
      [2, 'A9'],
    ]);
    const next = unit();
    const heirs = [roads([3, 3, 1, 'A2']), bench.remove(road, [1])];
    await bench.fenced(next, ...heirs);
    await bench.apply(next, ...heirs);
    expect(await bench.rows(road, 'id', 'sign')).toEqual([
      [2, 'A9'],
      [3, 'A2'],
    ]);
    expect(await bench.stored()).toEqual(before);
  });

  it('does nothing to a later writer when it comes late', async () => {
    await bench.write(roads([1, 1, 2], [2, 2, 3]));
    const owner = unit();
    const batches = [
      roads([3, 1, 3]),
      pairs([1, 3]),
      bench.update(road, [[1]], { km: 5, version: 2 }, 1),
      bench.remove(road, [2]),
    ];
    await bench.fenced(owner, ...batches);
    await bench.apply(owner, ...batches);
    await bench.write(bench.update(road, [[1], [3]], { km: 8 }));
    await bench.write(roads([2, 3, 1]));
    await bench.write(bench.remove(near, [1, 3]));
    const after = await bench.rows(road, 'id', 'km', 'version', endOf('to'));
    for (const late of ['apply', 'unfence', 'apply'] as const) await bench[late](owner, ...batches);
    await bench.participant.unfenceAll(owner, {});
    expect(await bench.rows(road, 'id', 'km', 'version', endOf('to'))).toEqual(after);
    expect(await bench.rows(near, ends[0])).toEqual([]);
  });
});
