/**
 * What autovacuum does on a server: PGlite has no processes in the background, so nobody would gather the statistics
 * that good plans need, or take away what updates and deletes leave behind. After some activity, when nobody has the
 * session, tables over PostgreSQL's own thresholds are vacuumed, one turn for each.
 */
import type { PGlite } from '@electric-sql/pglite';
import type { Turn, TurnOptions } from '@storeweave/sql';

export interface UpkeepOptions {
  /** How long after the first use, and again after each round that was followed by use, in milliseconds. */
  readonly everyMs: number;
  readonly isBusy: () => boolean;
  readonly take: (options: TurnOptions) => Promise<Turn>;
  readonly pglite: () => PGlite;
}

/** Autovacuum's defaults; also for tables that only grow, so that they are not read whole by a later vacuum. */
const NEEDY = `
  select format('%I.%I', s.schemaname, s.relname) as name
  from pg_stat_user_tables s join pg_class c on c.oid = s.relid
  where s.n_dead_tup > 50 + 0.2 * greatest(c.reltuples, 0)
     or s.n_mod_since_analyze > 50 + 0.1 * greatest(c.reltuples, 0)
     or s.n_ins_since_vacuum > 1000 + 0.2 * greatest(c.reltuples, 0)`;

/** A database that is busy just now is looked at again after this time. */
const AGAIN_MS = 500;

export class Upkeep {
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(private readonly options: UpkeepOptions) {}

  /** To be called after each use of the session. */
  used(): void {
    if (this.#timer === undefined && !this.#isStopped) this.#wait(this.options.everyMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => void this.#run(), ms);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    if (this.options.isBusy()) return this.#wait(AGAIN_MS);
    try {
      const tables = await this.#inTurn(async (pglite) => (await pglite.query<{ name: string }>(NEEDY)).rows);
      for (const { name } of tables) {
        // Names come quoted from the server.
        if (!this.#isStopped) await this.#inTurn((pglite) => pglite.exec(`vacuum (analyze) ${name}`));
      }
    } catch {
      // Dropped in between, or the database is closing: the next round sees what is left to do.
    } finally {
      this.#timer = undefined;
    }
  }

  async #inTurn<R>(work: (pglite: PGlite) => Promise<R>): Promise<R> {
    const turn = await this.options.take({ label: 'the upkeep of its tables (vacuum)' });
    try {
      return await work(this.options.pglite());
    } finally {
      turn.end();
    }
  }
}
