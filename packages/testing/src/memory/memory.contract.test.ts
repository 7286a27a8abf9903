import * as vitest from 'vitest';
import { contract } from '../contract/contract.js';
import { memoryDomain } from './domain.js';
import { memoryStore } from './store.js';

/** One store for each model, in one domain, as on one database. */
contract(
  'memory',
  {
    open: async () => {
      const domain = memoryDomain();
      const store = () => memoryStore({ domain });
      return { relational: store(), document: store(), graph: store(), timeseries: store() };
    },
  },
  vitest,
);
