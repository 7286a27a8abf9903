/** What a PostgreSQL server says of itself, in one statement. */
import type { StoreInspection } from '@storeweave/core';

const text = `select split_part(current_setting('server_version'), ' ', 1), extract(epoch from clock_timestamp()) * 1000,
  current_setting('max_prepared_transactions'), pg_is_in_recovery(), current_setting('fsync')`;

export async function inspectServer(
  ask: (text: string) => Promise<readonly (string | null)[]>,
): Promise<StoreInspection> {
  const [version, clock, prepared, standby, fsync] = await ask(text);
  const missing: string[] = [];
  if (prepared === '0') {
    missing.push(
      'two-phase commit with another PostgreSQL server: set max_prepared_transactions to the number of connections',
    );
  }
  if (standby === 't') missing.push('writes: this server is a standby; connect to the primary');
  if (fsync === 'off') missing.push('durability over a power failure: fsync is off; turn it on, or accept the risk');
  return { product: 'PostgreSQL', version: String(version), clockMs: Number(clock), missing };
}
