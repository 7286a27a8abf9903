/**
 * Records of reads on their way to the store: noted in memory, written in batches in the background, so that no read waits
 * for its record or fails with it. What cannot be written after some attempts is lost, counted, and made known.
 */
import { AsyncResource } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { StoreError, UniqueViolationError } from '../errors/errors.js';
import { StoreweaveError } from '../errors/storeweave-error.js';
import { timeOrderedId } from '../hydrate/time-ordered-id.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Store } from '../store/store.js';
import type { ReadNote } from './read-watch.js';
import { onBehalf, type Stamp } from './row-change.js';

/** Records of reads in numbers. */
export interface AccessLogStats {
  /** Noted and not written yet. */
  readonly pending: number;
  readonly written: number;
  /** Never to be written: the store refused them, could not be reached, or could not keep up. */
  readonly lost: number;
}

/** The records of reads on their way to the store. */
export interface AccessLog {
  readonly stats: AccessLogStats;
  /** Resolves when everything that is noted now is written, or lost. */
  flush(): Promise<void>;
}

/** Published on the diagnostics channel `storeweave:audit:lost`. */
export interface LostAccessRecords {
  readonly records: number;
  readonly error: unknown;
}

export interface AccessQueueOptions {
  readonly log: EntityModel;
  readonly store: () => Store;
  /** How long a record waits for others, in milliseconds. */
  readonly delayMs: number;
  /** Records in memory at most. */
  readonly limit: number;
}

/** Records of one batch at most. */
const BATCH = 1_000;
const ATTEMPTS = 3;
const PAUSE_MS = 100;
const LIMIT_MS = 10_000;

const lost = channel('storeweave:audit:lost');

export class AccessQueue implements AccessLog {
  readonly #names: readonly string[];
  /** The background belongs to nobody's unit of work, whoever noted the first record. */
  readonly #background = new AsyncResource('storeweave.audit');
  #rows: Row[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #draining: Promise<void> | undefined;
  #underWay = 0;
  #written = 0;
  #lost = 0;

  constructor(private readonly options: AccessQueueOptions) {
    this.#names = options.log.fields.map((field) => field.name);
  }

  get stats(): AccessLogStats {
    return { pending: this.#rows.length + this.#underWay, written: this.#written, lost: this.#lost };
  }

  /** Notes a query. Never throws, never waits. */
  add(make: () => ReadNote, stamp: () => Stamp): void {
    try {
      const { limit } = this.options;
      if (this.#rows.length >= limit) {
        throw new StoreError(`${limit} records of reads wait for their store, so this one was dropped.`);
      }
      const { entity, ...note } = make();
      const values: Readonly<Record<string, unknown>> = {
        ...onBehalf(stamp(), Date.now()),
        ...note,
        id: timeOrderedId(),
        entity: entity.name,
      };
      this.#rows.push(this.#names.map((name) => values[name] ?? null));
      this.#schedule();
    } catch (error) {
      this.#lose(1, error);
    }
  }

  async flush(): Promise<void> {
    while (this.#draining !== undefined || this.#rows.length > 0) {
      this.#draining ??= this.#background.runInAsyncScope(() => this.#drain());
      await this.#draining;
    }
  }

  async #drain(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#rows.length > 0) await this.#write(this.#rows.splice(0, BATCH));
    this.#draining = undefined;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#draining !== undefined) return;
    const delay = this.#rows.length >= BATCH ? 0 : this.options.delayMs;
    this.#timer = this.#background.runInAsyncScope(() => setTimeout(() => void this.flush(), delay));
    // What is noted is written at close(); a process that ends without it is not held up.
    this.#timer.unref();
  }

  async #write(rows: readonly Row[]): Promise<void> {
    const { log, store } = this.options;
    this.#underWay = rows.length;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const batch = { op: 'insert', entity: log, fields: log.fields, rows } as const;
          await store().write(batch, { timeoutMs: LIMIT_MS, label: 'records of reads' });
          break;
        } catch (error) {
          // Ids are made once: a row that is there already is there by the attempt before, whose answer was lost.
          if (attempt > 1 && error instanceof UniqueViolationError) break;
          if (attempt === ATTEMPTS || !isWorthwhile(error)) throw error;
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** attempt));
        }
      }
      this.#written += rows.length;
    } catch (error) {
      this.#lose(rows.length, error);
    } finally {
      this.#underWay = 0;
    }
  }

  #lose(records: number, error: unknown): void {
    this.#lost += records;
    const event: LostAccessRecords = { records, error };
    lost.publish(event);
  }
}

const PASSING: ReadonlySet<string> = new Set(['STORE_BUSY', 'TIMEOUT', 'COMMIT_UNKNOWN']);

function isWorthwhile(error: unknown): boolean {
  return error instanceof StoreweaveError && (error.isRetryable || PASSING.has(error.code));
}
