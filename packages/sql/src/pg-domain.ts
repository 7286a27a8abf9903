/** The transaction domain of a PostgreSQL database. */
import type { Access, CommitParticipant } from '@storeweave/core';
import { PgJournal } from './commit/journal.js';
import { PreparedTransactions } from './commit/prepared.js';
import { type Look, watched } from './commit/prepared-watch.js';
import { ConnectionDomain, type DomainOptions } from './connection-domain.js';
import type { PgConnections } from './pg-client.js';
import { pgDialect } from './pg-dialect.js';
import { pgProtocol } from './pg-protocol.js';
import type { SqlSession } from './session.js';

export type PgDomainOptions = DomainOptions;

export class PgDomain extends ConnectionDomain {
  readonly coordinator: PgJournal;
  readonly #prepared = new PreparedTransactions(this);
  #canPrepare = false;

  constructor(connections: PgConnections, options: PgDomainOptions = {}) {
    super(connections, pgProtocol, pgDialect, { ...options, name: options.name ?? 'postgres' });
    // A database of one session is one of this process, which tells itself.
    const { lone } = this.exclusive ? {} : connections;
    this.coordinator = new PgJournal(this, lone?.bind(connections));
  }

  /** Known when the server has answered. */
  get participant(): CommitParticipant | undefined {
    return this.#canPrepare ? this.#prepared : undefined;
  }

  override use<R>(access: Access, work: (session: SqlSession) => Promise<R>): Promise<R> {
    if (!this.#canPrepare) return super.use(access, work);
    return super.use(access, (session) => watched(session, this.#look, () => work(session)));
  }

  readonly #look: Look = async (statement, signal, onSent) => {
    const { rows } = await super.use({ signal, label: 'look for a prepared transaction in the way' }, (session) => {
      onSent();
      return session.query(statement);
    });
    return rows;
  };

  override async open(): Promise<void> {
    await super.open();
    // On a database of one session, whoever then met a prepared row would wait for ever, and everybody else with him.
    if (this.exclusive) return;
    try {
      const text = `select current_setting('max_prepared_transactions')::int > 0 and not pg_is_in_recovery()`;
      const { rows } = await this.use({ label: 'open' }, (session) => session.query({ text, values: [] }));
      this.#canPrepare = rows[0]?.[0] === 't';
    } catch (error) {
      await this.close();
      throw error;
    }
  }
}
