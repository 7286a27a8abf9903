/** SQLite's protocol: one connection within this process, which answers before anybody could ask it to stop. */
import { ConnectionError } from '@storeweave/core';
import { quoteName } from '../identifier.js';
import type { Protocol } from '../protocol.js';
import { mapSqliteError } from './sqlite-errors.js';

/** JSON operators, RETURNING, UPDATE FROM, `unhex`, and text that becomes the nearest double. */
const OLDEST = [3, 43];

export const sqliteProtocol: Protocol = {
  send: async (client, { text, values }) => {
    const answer = await client.query({ text, values: [...values] });
    return Array.isArray(answer) ? (answer[0] as never) : answer;
  },
  cancel: () => undefined,
  mapError: mapSqliteError,
  isConnectionLoss: (error) => error instanceof ConnectionError,
  // Some errors roll back by themselves (a full disk, an aborted statement in the middle of a write).
  endsTransaction: (error) => /cannot (?:commit|rollback)|disk is full|disk I\/O/.test(String(error)),
  // The right to write is taken at once: two that have read could not both go on to write.
  begin: (_, { readOnly }) => (readOnly === true ? ['pragma query_only = on', 'begin'] : ['begin immediate']),
  check: async (ask) => {
    const [version] = await ask('select sqlite_version()');
    const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
    const [oldestMajor = 0, oldestMinor = 0] = OLDEST;
    if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
    return `SQLite ${OLDEST.join('.')} or newer is needed, this is ${version}`;
  },
  refusesAfterFailure: false,
  quote: quoteName,
};
