import { contract } from '@storeweave/testing/contract';
import * as vitest from 'vitest';
import { embedded } from './embedded.js';

contract('PGlite', { open: async () => embedded() }, vitest);
