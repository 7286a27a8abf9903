/** PostgreSQL's protocol, over a `pg` client. */
import { claimStatement, unitId } from './commit/unit-id.js';
import { isConnectionLoss, mapError } from './errors.js';
import { quoteName } from './identifier.js';
import { backendOf, cancelRunning, isRemote } from './pg-client.js';
import type { Protocol } from './protocol.js';
import { sendText } from './text-query.js';

const settings = `select current_setting('server_version_num'), current_setting('server_encoding'), current_setting('DateStyle'), current_setting('bytea_output')`;

export const pgProtocol: Protocol = {
  send: sendText,
  cancel: cancelRunning,
  backendOf,
  mapError,
  isConnectionLoss,
  endsTransaction: () => false,
  begin: (client, { isolation, readOnly, timeoutMs }) => {
    let text = 'begin';
    if (isolation !== undefined) text += ` isolation level ${isolation}`;
    if (readOnly === true) text += ' read only';
    if (timeoutMs !== undefined && isRemote(client)) {
      // The server's own limits, for the case that this process can no longer speak. They would end a PGlite for good.
      const ms = Math.max(1, Math.ceil(timeoutMs));
      text += `; set local statement_timeout = ${ms}; set local idle_in_transaction_session_timeout = ${ms}`;
    }
    return [text];
  },
  claim: (unitOfWork) => claimStatement(`'${unitId(unitOfWork)}'`),
  check: async (ask) => {
    const [version, encoding, dates, bytes] = await ask(settings);
    if (Number(version) < 130_000) return `PostgreSQL 13 or newer is needed, the server says ${version}`;
    if (encoding !== 'UTF8') return `the encoding of the database must be UTF8, it is ${encoding}`;
    if (dates?.startsWith('ISO') !== true) return `DateStyle must be ISO, it is ${dates}`;
    return bytes === 'hex' ? undefined : `bytea_output must be hex, it is ${bytes}`;
  },
  refusesAfterFailure: true,
  combines: true,
  quote: quoteName,
};
