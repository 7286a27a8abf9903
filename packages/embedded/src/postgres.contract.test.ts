import { contract } from '@storeweave/testing/contract';
import { sharedPostgres } from '@storeweave/testing/servers';
import * as vitest from 'vitest';
import { embedded } from './embedded.js';

contract(
  'PostgreSQL',
  {
    open: async () => {
      const server = await sharedPostgres();
      return embedded({ url: await server.database('contract') });
    },
    reopenable: async () => {
      const server = await sharedPostgres();
      const url = await server.database('contract');
      return async () => embedded({ url });
    },
  },
  vitest,
);
