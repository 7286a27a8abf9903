/** A process that watches a journal, has nothing else to do, and never stops watching. */
import pg from 'pg';
import { PgDomain } from '../pg-domain.js';
import { type PgPoolLike, poolConnections } from '../pg-pool.js';

const [, , connectionString] = process.argv;
const pool = () => new pg.Pool({ connectionString, allowExitOnIdle: true }) as unknown as PgPoolLike;
const domain = new PgDomain(poolConnections(pool));
await domain.open();
await domain.coordinator.setUp({});
await domain.coordinator.watch?.(() => {});
process.stdout.write('watching');
