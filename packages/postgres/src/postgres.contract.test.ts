/** The contract suite over the three stores of this package. On PGlite the embedded package runs it, over all models. */
import { contract } from '@storeweave/testing/contract';
import { sharedPostgres } from '@storeweave/testing/servers';
import * as vitest from 'vitest';
import { postgres } from './postgres.js';

contract(
  'postgres',
  {
    open: async () => postgres({ url: await (await sharedPostgres()).database('contract') }),
    reopenable: async () => {
      const url = await (await sharedPostgres()).database('contract');
      return async () => postgres({ url });
    },
  },
  vitest,
);
