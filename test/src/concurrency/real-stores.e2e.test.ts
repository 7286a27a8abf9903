/**
 * Many writers in two processes on a few keys of several stores: all appends to a list are in it once, in an order that
 * agrees with what everybody was told and read; also where a process is killed in the middle.
 */
import { sharedServer } from '@storeweave/testing/servers';
import { expect, it } from 'vitest';
import { checkHistory, type History } from './history.js';
import type { Place } from './model.js';
import { concurrentHistory } from './run.js';

async function places(by: Place['by'], sides: Place['sides']): Promise<Place> {
  const relational = await (await sharedServer('postgres')).database('concurrency');
  const document = await (await sharedServer('mongodb')).database('concurrency');
  if (!sides.includes('graph')) return { sides, by, relational, document };
  const { url, username, password, space } = await sharedServer('neo4j');
  const graph = { url, username, password, labelPrefix: await space('concurrency') };
  return { sides, by, relational, document, graph };
}

const BOTH = ['relational', 'document'] as const;
const ALL = ['relational', 'document', 'graph'] as const;

it.each([
  ['PostgreSQL by embedded() and MongoDB', 'embedded', BOTH, []],
  ['PostgreSQL by embedded() and MongoDB, with a process killed', 'embedded', BOTH, [10]],
  ['PostgreSQL, MongoDB and Neo4j', 'typeorm', ALL, []],
  ['PostgreSQL, MongoDB and Neo4j, with processes killed', 'typeorm', ALL, [5, 5]],
] as const)(
  'keeps every append to lists in %s',
  async (_, by, sides, killAfter) => {
    const place = await places(by, sides);
    const appends = sides.length === 2 ? 12 : 6;
    const history = await concurrentHistory({ place, seed: 1, processes: 2, writers: 4, appends, killAfter });
    expect(checkHistory(history)).toEqual([]);
    const { acknowledged, overSeveral } = counts(history);
    expect(acknowledged).toBeGreaterThan(4 * appends);
    expect(overSeveral).toBeGreaterThan(2 * appends);
    expect(history.looks.length).toBeGreaterThan(20);
  },
  240_000,
);

function counts({ appends }: History) {
  const done = appends.filter(({ outcome }) => outcome === 'acknowledged');
  return { acknowledged: done.length, overSeveral: done.filter(({ reads }) => Object.keys(reads).length > 1).length };
}
