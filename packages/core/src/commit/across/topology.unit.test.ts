/** Which store decides, and who takes part. */
import { type MemoryStore, memoryStore } from '@storeweave/testing';
import { expect, it } from 'vitest';
import { ConfigurationError } from '../../errors/errors.js';
import type { Capabilities } from '../../store/capabilities.js';
import { Storeweave } from '../../weave/storeweave.js';
import { Account, open, Profile } from './across.fixture.js';
import { findTopology } from './topology.js';

const both = { coordinates: true, participates: 'fence' } as const;
const store = (model: 'relational' | 'document' | 'graph', commit: Capabilities['commit']): MemoryStore =>
  memoryStore({ capabilities: { models: [model], commit } });

it('takes the first store that can, a relational one before others, and the one that is named before all', () => {
  const graph = store('graph', { coordinates: false, participates: 'fence' });
  const stores = { graph, archive: store('document', both), document: store('document', both) };
  const bound = new Map<string, MemoryStore>(Object.entries(stores));
  expect(findTopology(bound)?.coordination.name).toBe('archive');
  bound.set('relational', store('relational', both));
  expect(findTopology(bound)?.coordination.name).toBe('relational');
  const named = findTopology(bound, 'document');
  expect(named?.coordination.name).toBe('document');
  expect(named?.all().map(({ name }) => name)).toEqual(['graph', 'archive', 'relational']);
  for (const name of ['graph', 'nobody']) expect(() => findTopology(bound, name)).toThrow(ConfigurationError);
});

it('refuses to open where the one that could coordinate cannot with its server', async () => {
  const relational = memoryStore({ capabilities: { commit: both } });
  const opened = relational.open.bind(relational);
  relational.open = async (context) => {
    await opened(context);
    Object.assign(relational.capabilities, { commit: undefined });
  };
  const document = store('document', { coordinates: false, participates: 'fence' });
  const refused = Storeweave.open({ entities: [Account, Profile], stores: { relational, document } });
  await expect(refused).rejects.toThrow(/none of them can coordinate/);
});

it('lets any store decide that can', async () => {
  const document = memoryStore({ capabilities: { commit: both } });
  const relational = memoryStore({ capabilities: { commit: both } });
  const timeseries = memoryStore({
    capabilities: { transactions: undefined, commit: { coordinates: false, participates: 'append' } },
  });
  await using weave = await open({ relational, document, timeseries }, { coordinator: 'document' });
  const { receipt } = await weave.transaction(async (uow) => {
    uow.create(Account, { name: 'ada' });
    uow.create(Profile, { nick: 'a' });
    return uow;
  });
  expect(receipt?.status).toBe('applied');
  expect(await weave.repository(Account).count()).toBe(1);
  expect(await document.coordinator?.doneUnits(9, {})).toEqual([]);
});
