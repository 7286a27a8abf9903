/** Indexes and constraints of every kind, what is reported and never done unasked, and applications side by side. */
import {
  ConfigurationError,
  compileDomain,
  type EntityClass,
  From,
  Id,
  Index,
  Node,
  Property,
  type Ref,
  Relationship,
  To,
  Unique,
} from '@storeweave/core';
import type { Driver } from 'neo4j-driver';
import { afterAll, describe, expect, it } from 'vitest';
import { neo4j } from './neo4j.js';
import { type OpenedStore, openStore } from './servers.fixture.js';
import type { Neo4jStore } from './store.js';

@Node({ label: 'Film' })
@Index(['title'], { type: 'fulltext' })
@Index(['plot'], { type: 'text' })
@Index(['year', 'title'])
@Index(['meaning'], { type: 'vector(4, euclidean)' })
class Film {
  @Id('integer') id!: number;
  @Property('string') title!: string;
  @Property('text', { nullable: true }) plot!: string | null;
  @Property('integer', { nullable: true }) year!: number | null;
  @Property('float', { array: true, nullable: true }) meaning!: number[] | null;
}

@Relationship({ type: 'RATED' })
@Index(['stars'])
class Rating {
  @Id() id!: string;
  @From(() => Film) from!: Ref<Film>;
  @To(() => Film) to!: Ref<Film>;
  @Property('integer') stars!: number;
}

/** The same label a version later: a title is unique, and the rest is gone. */
const LaterFilm = (() => {
  @Node({ label: 'Film' })
  @Unique(['title'])
  class Film {
    @Id('integer') id!: number;
    @Property('string') title!: string;
  }
  return Film;
})();

describe('schema', () => {
  const stores: Neo4jStore[] = [];
  afterAll(async () => {
    for (const store of stores) await store.close();
  });

  const start = async (...classes: EntityClass[]): Promise<OpenedStore> => {
    const opened = await openStore(classes);
    stores.push(opened.store);
    return opened;
  };
  /** Another version of the application over the same labels. */
  const later = async ({ options }: OpenedStore, ...classes: EntityClass[]) => {
    const store = neo4j(options);
    stores.push(store);
    await store.open({ name: 'graph', entities: compileDomain(classes).entities });
    return store;
  };
  const ask = async (store: Neo4jStore, text: string, values: Record<string, unknown>) => {
    const { records } = await (store.native({}) as Driver).executeQuery(text, values);
    return records.map((record) => record.toObject() as Record<string, unknown>);
  };

  it('makes indexes of every kind, for nodes and relationships, and then has nothing left to do', async () => {
    const { store, labelPrefix } = await start(Film, Rating);
    expect(await store.schema.plan({})).toEqual([]);
    const found = await ask(
      store,
      'SHOW INDEXES YIELD type, entityType, labelsOrTypes, properties, owningConstraint, state WHERE any(l IN labelsOrTypes WHERE l STARTS WITH $labelPrefix) RETURN type, entityType, properties, owningConstraint IS NOT NULL AS isUnique, state',
      { labelPrefix },
    );
    const said = found.map(
      (each) => `${each.entityType} ${each.type} ${each.properties} ${each.isUnique} ${each.state}`,
    );
    expect(said.sort()).toEqual([
      'NODE FULLTEXT title false ONLINE',
      'NODE RANGE id true ONLINE',
      'NODE RANGE year,title false ONLINE',
      'NODE TEXT plot false ONLINE',
      'NODE VECTOR meaning false ONLINE',
      'RELATIONSHIP RANGE id true ONLINE',
      'RELATIONSHIP RANGE stars false ONLINE',
    ]);
  });

  it('finds by full text and by vector with what the entities wrote', async () => {
    const opened = await start(Film);
    await opened.insert(opened.of(Film), [
      [1, 'The silver thread', 'a', 1999, [1, 0, 0, 0]],
      [2, 'Yarn', 'b', 2001, [0, 1, 0, 0]],
    ]);
    const names = await ask(
      opened.store,
      "SHOW INDEXES YIELD name, type, labelsOrTypes WHERE type IN ['FULLTEXT', 'VECTOR'] AND $label IN labelsOrTypes RETURN name, type",
      { label: `${opened.labelPrefix}Film` },
    );
    const nameOf = (type: string) => names.find((each) => each.type === type)?.name;
    await ask(opened.store, 'CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()', {});
    expect(
      await ask(opened.store, "CALL db.index.fulltext.queryNodes($name, 'thread') YIELD node RETURN node.id AS id", {
        name: nameOf('FULLTEXT'),
      }),
    ).toEqual([{ id: 1n }]);
    expect(
      await ask(opened.store, 'CALL db.index.vector.queryNodes($name, 1, $v) YIELD node RETURN node.id AS id', {
        name: nameOf('VECTOR'),
        v: [0, 0.9, 0, 0],
      }),
    ).toEqual([{ id: 2n }]);
  });

  it('drops nothing unasked, and calls destructive what nodes may refuse', async () => {
    const first = await start(Film);
    await first.insert(first.of(Film), [
      [1, 'Same', null, null, null],
      [2, 'Same', null, null, null],
    ]);
    const second = await later(first, LaterFilm);
    const plan = await second.schema.plan({});
    expect(plan.every(({ destructive }) => destructive)).toBe(true);
    expect(plan.map(({ kind }) => kind).sort()).toEqual(['create', 'drop', 'drop', 'drop', 'drop']);
    await expect(
      second.schema.apply(
        plan.filter(({ kind }) => kind === 'create'),
        {},
      ),
    ).rejects.toThrow(/Same|refused/);
    await second.write({ op: 'delete', entity: first.of(Film), keys: [[2]] }, {});
    await second.schema.apply(plan, {});
    expect(await second.schema.plan({})).toEqual([]);
  });

  it('turns an index into a constraint and back, and leaves what others have named', async () => {
    const version = (options: { index?: boolean; unique?: boolean }) => {
      @Node({ label: 'Reel' })
      class Reel {
        @Id('integer') id!: number;
        @Property('string', options) title!: string;
      }
      return Reel;
    };
    const indexed = await start(version({ index: true }));
    const unique = await later(indexed, version({ unique: true }));
    const plan = await unique.schema.plan({});
    expect(plan.map(({ kind, destructive }) => [kind, destructive])).toEqual([['alter', false]]);
    await unique.schema.apply(plan, {});
    expect(await unique.schema.plan({})).toEqual([]);
    const back = await later(indexed, version({ index: true }));
    expect((await back.schema.plan({})).map(({ kind, destructive }) => [kind, destructive])).toEqual([['alter', true]]);

    const { labelPrefix } = indexed;
    await ask(unique, `CREATE INDEX \`${labelPrefix}film_year_title_idx\` FOR (n:\`Else${labelPrefix}\`) ON (n.x)`, {});
    const film = await later(indexed, Film);
    await expect(film.schema.plan({})).rejects.toThrow(/not of this application/);
    await ask(unique, `DROP INDEX \`${labelPrefix}film_year_title_idx\``, {});
  });

  it('may be made by several processes at once', async () => {
    @Node()
    class Lonely {
      @Id() id!: string;
    }
    const opened = await start(Lonely);
    const all = await Promise.all([1, 2, 3].map(() => later(opened, Lonely, Film, Rating)));
    // Each as an application that starts: what it finds, it plans for.
    await Promise.all(
      all.map(async (store) => {
        await store.schema.apply(await store.schema.plan({}), {});
      }),
    );
    for (const store of all) expect(await store.schema.plan({})).toEqual([]);
  });

  it('keeps applications with different prefixes apart', async () => {
    const [one, two] = [await start(Film), await start(Film)];
    await one.insert(one.of(Film), [[1, 'a', null, null, null]]);
    expect(await two.store.count(two.of(Film), undefined, {})).toBe(0);
    await two.insert(two.of(Film), [[1, 'b', null, null, null]]);
    expect(await two.store.schema.plan({})).toEqual([]);
  });

  it('refuses indexes that Neo4j cannot have', async () => {
    @Node()
    @Index(['name'], { type: 'gin' })
    class Strange {
      @Id() id!: string;
      @Property('string') name!: string;
    }
    @Relationship({ type: 'ONCE' })
    @Unique(['from', 'year'])
    class Once {
      @Id() id!: string;
      @From(() => Film) from!: Ref<Film>;
      @To(() => Film) to!: Ref<Film>;
      @Property('integer') year!: number;
    }
    await expect(openStore([Strange])).rejects.toThrow(ConfigurationError);
    await expect(openStore([Film, Once])).rejects.toThrow(/known by its two ends/);
  });
});
