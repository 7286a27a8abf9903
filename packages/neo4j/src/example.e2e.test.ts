/** What the README shows, run as it stands. */
// #region entities
import {
  type Collection,
  From,
  Id,
  Index,
  Node,
  Property,
  type Ref,
  Related,
  Relational,
  Relationship,
  Storeweave,
  To,
} from '@storeweave/core';
import { neo4j } from '@storeweave/neo4j';

@Node({ label: 'Station' })
@Index(['name'], { type: 'fulltext' })
class Station {
  @Id('string') code!: string;
  @Property('string') name!: string;
}

@Relationship({ type: 'LINE' })
class Line {
  @Id() id!: string;
  @From(() => Station) from!: Ref<Station>;
  @To(() => Station) to!: Ref<Station>;
  @Property('integer') minutes!: number;
}

/** Lives in a relational store; the graph has a node with its id, and who follows whom. */
@Relational()
class Traveller {
  @Id() id!: string;
  @Property('string') name!: string;
  @Related(() => Traveller, 'FOLLOWS') follows!: Collection<Traveller>;
}

// #endregion entities

import { memoryStore } from '@storeweave/testing';
import { sharedServer } from '@storeweave/testing/servers';
import type { Transaction } from 'neo4j-driver';
import { expect, it } from 'vitest';

it('does what the README says', async () => {
  const { url, username, password, space } = await sharedServer('neo4j');
  const labelPrefix = await space('example');
  const relational = memoryStore();
  // #region open
  const graph = neo4j({ url, username, password, labelPrefix });
  const weave = await Storeweave.open({
    entities: [Station, Line, Traveller],
    stores: { relational, graph },
    atomicity: 'best-effort',
  });

  await weave.transaction(async (uow) => {
    const [north, mid, south] = ['north', 'mid', 'south'].map((code) => uow.create(Station, { code, name: code }));
    uow.create(Line, { from: north, to: mid, minutes: 12 });
    uow.create(Line, { from: mid, to: south, minutes: 7 });
  });

  const reached = await weave
    .graph(Station)
    .traverse<Line>({ from: 'north', via: Line, depth: [1, 4], where: { minutes: { lt: 30 } } });
  const path = await weave.graph(Station).shortestPath('north', 'south', { via: Line });
  // #endregion open
  expect(reached.map(({ entity, depth }) => [entity.code, depth])).toEqual([
    ['mid', 1],
    ['south', 2],
  ]);
  expect(path?.edges.map(({ minutes }) => minutes)).toEqual([12, 7]);

  // #region native
  await weave.transaction(async (uow) => {
    const transaction = (await uow.native('graph')) as Transaction;
    await transaction.run(`MATCH (s:\`${labelPrefix}Station\` {code: $code}) SET s.name = $name`, {
      code: 'mid',
      name: 'Midtown',
    });
  });

  // What this process has committed, another one waits for before it reads.
  const token = await weave.causalToken();
  if (token !== undefined) await weave.observe(token);
  // #endregion native
  expect((await weave.repository(Station).findById('mid'))?.name).toBe('Midtown');

  await weave.transaction(async (uow) => {
    const ann = uow.create(Traveller, { name: 'Ann' });
    ann.follows.add(uow.create(Traveller, { name: 'Bob' }));
  });
  const ann = await weave.repository(Traveller).findOneOrFail({ where: { name: 'Ann' }, populate: ['follows'] });
  expect(ann.follows.items.map(({ name }) => name)).toEqual(['Bob']);
  await weave.close();
});
