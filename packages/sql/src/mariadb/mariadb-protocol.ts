/** MariaDB's protocol, over a client of `mysql2`: statements with values are prepared by the server, so none is quoted. */
import type { IsolationLevel } from '@storeweave/core';
import type { PgClient } from '../pg-client.js';
import type { Protocol } from '../protocol.js';
import { mariadbDialect } from './mariadb-dialect.js';
import { isMariadbLoss, mapMariadbError } from './mariadb-errors.js';
import { positional } from './positional.js';

/** JSON_TABLE (10.6), JSON_NORMALIZE (10.7). */
const OLDEST = [10, 7];

/** The parts of a client that are MariaDB's. */
export interface MariadbClient extends PgClient {
  /** Ends the statement that runs, from another connection. */
  cancel(): void;
}

/** One for each domain: what its server can do is asked when it is opened. */
export function mariadbProtocol(): Protocol {
  let snapshots = false;
  /** What each connection was told last; a level stays until another is said. */
  const levels = new WeakMap<PgClient, IsolationLevel>();
  return {
    send: async (client, { text, values, verbatim }) => {
      const sent = verbatim === true ? { text, values: [...values] } : positional(text, values);
      const answer = await client.query(sent);
      return Array.isArray(answer) ? (answer[0] as never) : answer;
    },
    cancel: (client) => (client as MariadbClient).cancel(),
    mapError: mapMariadbError,
    isConnectionLoss: isMariadbLoss,
    endsTransaction: (error) => [1213, 1020].includes((error as { errno?: number }).errno ?? 0),
    // The server's own default, repeatable read, lets a change be lost between a read and a write.
    begin: (client, { isolation = 'read committed', readOnly }) => {
      const texts: string[] = [];
      if (levels.get(client) !== isolation) {
        levels.set(client, isolation);
        texts.push(`set session transaction isolation level ${isolation}`);
        if (snapshots && isolation === 'repeatable read') texts.push('set session innodb_snapshot_isolation = on');
      }
      texts.push(readOnly === true ? 'start transaction read only' : 'start transaction');
      return texts;
    },
    check: async (ask) => {
      const [version = '', mode = '', encoding] = await ask('select version(), @@sql_mode, @@character_set_connection');
      const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
      const [oldestMajor = 0, oldestMinor = 0] = OLDEST;
      if (!/mariadb/i.test(version ?? '') || major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
        return `MariaDB ${OLDEST.join('.')} or newer is needed, the server says ${version}`;
      if (!/STRICT_(?:TRANS|ALL)_TABLES/.test(mode ?? ''))
        return `sql_mode must have STRICT_TRANS_TABLES, or values that do not fit would be cut; it is "${mode}"`;
      if (/NO_BACKSLASH_ESCAPES/.test(mode ?? '')) return 'sql_mode must not have NO_BACKSLASH_ESCAPES';
      if (encoding !== 'utf8mb4') return `connections must use utf8mb4, this one uses ${encoding}`;
      const [known] = await ask(
        `select count(*) from information_schema.system_variables where variable_name = 'INNODB_SNAPSHOT_ISOLATION'`,
      );
      snapshots = known === '1';
      return undefined;
    },
    refusesAfterFailure: false,
    quote: mariadbDialect.quote,
  };
}
