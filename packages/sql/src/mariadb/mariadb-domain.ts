/** The transaction domain of a MariaDB database. */
import { ConnectionDomain, type DomainOptions } from '../connection-domain.js';
import type { PgConnections } from '../pg-client.js';
import { PortableJournal } from '../portable/journal/journal.js';
import { mariadbDialect } from './mariadb-dialect.js';
import { mariadbJournal } from './mariadb-journal.js';
import { mariadbProtocol } from './mariadb-protocol.js';

export class MariadbDomain extends ConnectionDomain {
  readonly coordinator: PortableJournal = new PortableJournal(this, mariadbJournal);

  constructor(connections: PgConnections, options: DomainOptions = {}) {
    super(connections, mariadbProtocol(), mariadbDialect, { ...options, name: options.name ?? 'mariadb' });
  }
}
