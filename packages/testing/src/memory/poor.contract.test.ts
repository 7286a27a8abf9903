import * as vitest from 'vitest';
import { contract } from '../contract/contract.js';
import { memoryDomain } from './domain.js';
import { memoryStore } from './store.js';

/** Everything that a store may lack: the core has to do without, and the same cases hold. */
contract(
  'memory with the least capabilities',
  {
    open: async () => {
      const domain = memoryDomain({ transactions: { isolation: ['read committed'], savepoints: false } });
      const store = () =>
        memoryStore({
          domain,
          capabilities: {
            relationFilters: false,
            limitPerGroup: false,
            bulkWrites: false,
            upsert: false,
            rowLocks: false,
            sequences: false,
          },
          without: ['stream', 'count', 'aggregate', 'bulk', 'graph', 'series', 'documents'],
        });
      return { relational: store(), document: store(), graph: store(), timeseries: store() };
    },
  },
  vitest,
);

contract(
  'memory without transactions, each model apart',
  {
    open: async () => {
      const store = () => memoryStore({ capabilities: { transactions: undefined } });
      return { relational: store(), document: store(), graph: store(), timeseries: store() };
    },
  },
  vitest,
);
