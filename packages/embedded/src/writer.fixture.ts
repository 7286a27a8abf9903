/** A process that commits transactions of ten rows each in a data folder, and tells each that was acknowledged. */
import { EmbeddedDatabase } from './embedded-database.js';

const [path, first] = process.argv.slice(2);
const database = new EmbeddedDatabase({ path: path ?? '', acquireTimeoutMs: 5_000, fsync: true });
await database.open();
await database.pglite.exec('create table if not exists t (batch int, n int)');
for (let batch = Number(first); ; batch++) {
  const turn = await database.take({});
  await database.pglite.transaction(async (transaction) => {
    for (let n = 0; n < 10; n++) await transaction.query('insert into t values ($1, $2)', [batch, n]);
  });
  turn.end();
  process.send?.(batch);
}
