import * as vitest from 'vitest';
import { contract } from '../contract/contract.js';
import { memoryDomain } from './domain.js';
import { memoryStore } from './store.js';

/** One store for each model, in one domain, as on one database. */
const stores = (domain = memoryDomain()) => ({
  relational: memoryStore({ domain }),
  document: memoryStore({ domain }),
  graph: memoryStore({ domain }),
  timeseries: memoryStore({ domain }),
});

contract(
  'memory',
  {
    open: async () => stores(),
    reopenable: async () => {
      const domain = memoryDomain();
      return async () => stores(domain);
    },
  },
  vitest,
);
