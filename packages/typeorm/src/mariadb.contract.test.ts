import { contract } from '@storeweave/testing/contract';
import { sharedServer } from '@storeweave/testing/servers';
import * as vitest from 'vitest';
import { typeorm } from './typeorm.js';

contract(
  'MariaDB',
  {
    open: async () => {
      const server = await sharedServer('mariadb');
      return { relational: typeorm({ url: await server.database('contract') }) };
    },
    reopenable: async () => {
      const server = await sharedServer('mariadb');
      const url = await server.database('contract');
      return async () => ({ relational: typeorm({ url }) });
    },
  },
  vitest,
);
