/** The contract suite on a real server. Only documents are kept here, so cases of other models do not apply. */
import { contract } from '@storeweave/testing/contract';
import { sharedServer } from '@storeweave/testing/servers';
import * as vitest from 'vitest';
import { mongodb } from './mongodb.js';

// The test server's Python wheel takes minutes for cases of thousands of documents; MongoDB itself, seconds.
vitest.vi.setConfig({ testTimeout: 300_000 });

contract(
  'mongodb',
  {
    open: async () => ({ document: mongodb({ url: await (await sharedServer('mongodb')).database('contract') }) }),
    reopenable: async () => {
      const url = await (await sharedServer('mongodb')).database('contract');
      return async () => ({ document: mongodb({ url }) });
    },
  },
  vitest,
);
