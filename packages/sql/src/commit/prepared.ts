/**
 * A PostgreSQL beside another coordinator: its own transaction, prepared before the decision, is the fence. It keeps the
 * rows' locks and outlives its connection and its server. Whoever waits for it is told whose it is (`prepared-watch.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Access,
  type CommitParticipant,
  type FenceOwner,
  InvalidStateError,
  StoreBusyError,
  TimeoutError,
  type Transaction,
} from '@storeweave/core';
import { PgTransaction } from '../pg-transaction.js';
import type { SqlDomain } from '../session.js';
import { PREPARED_PREFIX, preparedId, preparedOwner, preparedPrefix } from './prepared-id.js';

/** Between two tries where somebody else is just finishing the same transaction. */
const BUSY_MS = 20;
/** How long that is tried where the caller sets no limit. */
const FINISH_MS = 10_000;
/** Names that are kept for owners that this process never finishes. */
const MAX_KNOWN = 10_000;

export class PreparedTransactions implements CommitParticipant {
  /** What this process has prepared, by what its name begins with: it is finished without a search. */
  readonly #known = new Map<string, string>();

  constructor(private readonly domain: SqlDomain) {}

  async prepare(owner: FenceOwner, transaction: Transaction): Promise<void> {
    if (!(transaction instanceof PgTransaction) || transaction.domain !== this.domain) {
      throw new InvalidStateError(
        `A transaction of domain "${transaction.domain.name}" was given to "${this.domain.name}" to be prepared.`,
      );
    }
    const id = preparedId(owner);
    this.#remember(preparedPrefix(owner), id);
    try {
      await transaction.prepare(id);
    } catch (error) {
      if (codeOf(error) !== '53200') throw error;
      throw new StoreBusyError(
        `"${this.domain.name}" has as many prepared transactions as it can. Raise max_prepared_transactions to the number of connections that write, and see in pg_prepared_xacts whether old ones wait for a coordinator that is gone.`,
        { cause: error },
      );
    }
  }

  async finish(owner: FenceOwner, outcome: 'commit' | 'rollback', access: Access): Promise<void> {
    const prefix = preparedPrefix(owner);
    const known = this.#known.get(prefix);
    const alone = { ...access, transaction: undefined };
    const ids = known === undefined ? await this.#search(prefix, undefined, alone) : [known];
    for (const id of ids) await this.#finishOne(id, outcome, alone);
    this.#known.delete(prefix);
  }

  async owners(limit: number, access: Access): Promise<readonly FenceOwner[]> {
    const owners = new Map<string, FenceOwner>();
    for (const id of await this.#search(PREPARED_PREFIX, limit, access)) {
      const owner = preparedOwner(id);
      if (owner !== undefined) owners.set(preparedPrefix(owner), owner);
    }
    return [...owners.values()];
  }

  async #finishOne(id: string, outcome: 'commit' | 'rollback', access: Access): Promise<void> {
    const { timeoutMs = FINISH_MS } = access;
    for (const until = performance.now() + timeoutMs; ; await sleep(BUSY_MS)) {
      try {
        await this.domain.use(access, (session) => session.query({ text: `${outcome} prepared '${id}'`, values: [] }));
        return;
      } catch (error) {
        const code = codeOf(error);
        // Finished already; whoever did so had asked the same coordinator.
        if (code === '42704') return;
        if (code !== '55000') throw error;
        if (performance.now() < until) continue;
        throw new TimeoutError(
          `The prepared transaction ${id} of "${this.domain.name}" could not be finished within ${timeoutMs} ms: another session is at it. Try again.`,
          { cause: error },
        );
      }
    }
  }

  /** The oldest first. */
  async #search(prefix: string, limit: number | undefined, access: Access): Promise<string[]> {
    const text = `select gid from pg_prepared_xacts where database = current_database() and starts_with(gid, $1::text)
      order by prepared limit $2::bigint`;
    const values = [prefix, limit === undefined ? null : String(limit)];
    const { rows } = await this.domain.use(access, (session) => session.query({ text, values }));
    return rows.map(([id]) => String(id));
  }

  #remember(prefix: string, id: string): void {
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MAX_KNOWN) this.#known.delete(oldest);
    this.#known.set(prefix, id);
  }
}

function codeOf(error: unknown): string | undefined {
  return ((error as Error).cause as { code?: string } | undefined)?.code;
}
