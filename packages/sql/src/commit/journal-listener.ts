/**
 * Hears what PostgreSQL is told about the journal (LISTEN), so that relays need not wait until they look. On a connection of
 * its own: one of a pool would be lent to others, and closed when it is idle. A connection that is lost is made anew after
 * a growing pause; one that is lost without a word is found out by asking now and then; and where a connection listens and
 * hears nothing, as through a pooler that lends servers by the transaction, that is said once. Relays look all the while.
 */
import { randomUUID } from 'node:crypto';
import type { JournalWatch } from '@storeweave/core';
import type { PgLoneClient } from '../pg-client.js';

/** Of a database; tables in several schemas of it share it, which wakes relays in vain at worst. */
export const CHANNEL = 'storeweave_journal';

/** Limits on connecting, and on each answer, in milliseconds. */
const ANSWER_MS = 5_000;
/** Between two questions whether the connection is still there, in milliseconds. */
const CHECK_MS = 30_000;
/** Before a lost connection is made anew, in milliseconds. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 60_000;
/** How long a connection may take to say good-bye, in milliseconds. */
const CLOSE_MS = 500;
const PROBE = 'probe ';

export interface ListenerParts {
  /** Of the database, for messages. */
  readonly name: string;
  /** A new client, not connected yet. Throws where none can be made. */
  connect(): PgLoneClient;
  /** Notifies the channel by another connection. */
  notify(payload: string, signal: AbortSignal): Promise<void>;
  wake(): void;
}

export class JournalListener implements JournalWatch {
  readonly #end = new AbortController();
  /** Ends what is waited for just now. */
  #interrupt: () => void = () => {};
  /** In a row. */
  #failures = 0;
  #hasListened = false;
  #hasWarned = false;
  #running: Promise<void> | undefined;

  private constructor(private readonly parts: ListenerParts) {}

  /** Resolves when it listens, or has tried to. Never rejects. */
  static start(parts: ListenerParts): Promise<JournalListener> {
    const listener = new JournalListener(parts);
    return new Promise((resolve) => {
      listener.#running = listener.#run(() => resolve(listener));
    });
  }

  async stop(): Promise<void> {
    this.#end.abort();
    this.#interrupt();
    await this.#running;
  }

  get #isEnded(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(onTried: () => void): Promise<void> {
    while (!this.#isEnded) {
      try {
        await this.#listen(onTried);
      } catch {
        // A database that does not answer tells so whoever needs it for more than this.
      }
      onTried();
      if (this.#isEnded) return;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures++, 10));
      await this.#pause(pauseMs * (0.5 + Math.random() / 2));
    }
  }

  /** Resolves when it is told to end, and throws when the connection is lost or hears nothing. */
  async #listen(onListening: () => void): Promise<void> {
    const client = this.parts.connect();
    let lose: (reason: unknown) => void = () => {};
    const over = new Promise<void>((resolve, reject) => {
      this.#interrupt = resolve;
      lose = reject;
    });
    over.catch(() => {});
    let onProbe: (payload: string) => void = () => {};
    client.on('error', lose);
    client.on('end', () => lose(new Error('The connection was closed.')));
    client.on('notification', ({ payload = '' }) => {
      if (payload.startsWith(PROBE)) onProbe(payload);
      else this.parts.wake();
    });
    /** Loses the connection where it does not come. */
    const inTime = (work: Promise<unknown>, isLate: () => void = () => {}) => {
      const timer = setTimeout(() => {
        isLate();
        lose(new Error(`No answer within ${ANSWER_MS} ms.`));
      }, ANSWER_MS).unref();
      return work.catch(lose).finally(() => clearTimeout(timer));
    };
    let checks: NodeJS.Timeout | undefined;
    try {
      await Promise.race([over, inTime(client.connect())]);
      if (this.#isEnded) return;
      await Promise.race([over, inTime(client.query({ text: `listen ${CHANNEL}` }))]);
      if (this.#isEnded) return;
      // It must not keep a process alive that has nothing else to do.
      client.unref?.();
      onListening();
      // What came while nobody listened was missed.
      if (this.#hasListened) this.parts.wake();
      this.#hasListened = true;
      checks = setInterval(() => void inTime(client.query({ text: 'select 1' })), CHECK_MS).unref();
      const probe = `${PROBE}${randomUUID()}`;
      const heard = new Promise<void>((resolve) => {
        onProbe = (payload) => payload === probe && resolve();
      });
      if (await this.#notify(probe)) await Promise.race([over, inTime(heard, () => this.#warn())]);
      this.#failures = 0;
      await over;
    } finally {
      clearInterval(checks);
      await this.#close(client);
    }
  }

  /** Tells whether the probe was sent. Where it was not, nothing is known of what is heard. */
  async #notify(probe: string): Promise<boolean> {
    try {
      await this.parts.notify(probe, this.#end.signal);
      return true;
    } catch {
      return false;
    }
  }

  /** With a limit that keeps the process: whoever closes waits for it. */
  async #close(client: PgLoneClient): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([client.end().catch(() => {}), late]);
    clearTimeout(timer);
    client.connection?.stream?.destroy?.();
  }

  #warn(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(
      `A connection to "${this.parts.name}" listens and hears nothing: a pooler that lends servers by the transaction does not pass notifications on. Relays find what is left to them when they look (relay.intervalMs); connect to the server itself, or by a pool that lends sessions, to have them told at once.`,
      { type: 'StoreweaveWarning', code: 'STOREWEAVE_NO_NOTIFICATIONS' },
    );
  }

  /** Waits, unless it is interrupted. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
