/**
 * Neo4j beside stores of other models: relations into and out of the graph, and relationships whose ends live elsewhere.
 * The others are in memory, so what is tested here is how the graph keeps references.
 */
import { memoryDomain, memoryStore } from '@storeweave/testing';
import { runContract } from '@storeweave/testing/contract';
import { sharedServer } from '@storeweave/testing/servers';
import { expect, it } from 'vitest';
import { neo4j } from './neo4j.js';

const open = async () => {
  const { url, username, password, space } = await sharedServer('neo4j');
  const domain = memoryDomain();
  const [relational, document, timeseries] = [1, 2, 3].map(() => memoryStore({ domain }));
  const graph = neo4j({ url, username, password, labelPrefix: await space('across') });
  return { relational, document, timeseries, graph } as Record<string, typeof graph | ReturnType<typeof memoryStore>>;
};

it.each([
  ['relations out of the graph', 'graph to ', 30],
  ['relations into the graph', ' to graph', 30],
  ['a relationship that leads to another store', 'graph: a relationship may lead', 1],
  ['walks among entities of another store', 'graph: entities of other stores', 1],
])(
  'keeps %s',
  async (_, only, atLeast) => {
    const { passed, failed } = await runContract({ open, only });
    expect(failed).toEqual([]);
    expect(passed.length).toBeGreaterThanOrEqual(atLeast);
  },
  180_000,
);
