/**
 * An embedded database (PGlite, SQLite) is one session: two users of it at a time would get into each other's
 * transactions. The gate is the one owner who hands it out, first come first served. A wait has a limit, and its error says who holds the session and since
 * when; a wait that can never end, because the caller is inside the callback of the transaction that holds the
 * session, fails at once.
 */
import { AbortedError, StoreBusyError, type WorkScope } from '@storeweave/core';

export interface TurnOptions {
  /** Who asks, for messages: "unit of work 'import'". */
  readonly label?: string;
  /** Limit on the wait in milliseconds; the gate's own if absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** True for a transaction, which holds the session over several calls. */
  readonly transaction?: boolean;
}

/** The session, until `end` is called. Ending it twice does nothing. */
export interface Turn {
  end(): void;
}

export interface GateOptions {
  /** Name of the store or folder, for messages. */
  readonly name: string;
  /** Default limit on a wait, in milliseconds. */
  readonly timeoutMs: number;
  /** Scope of the caller; see `currentScope` of core. */
  readonly scope: () => WorkScope | undefined;
}

interface Holder {
  readonly label: string;
  readonly since: number;
  readonly scope?: WorkScope;
  readonly transaction: boolean;
}

interface Waiter extends Holder {
  admit(): void;
  refuse(error: Error): void;
}

export class SessionGate {
  #holder: Holder | undefined;
  #closed: Error | undefined;
  /** In the order of arrival; a waiter that gives up is taken out, so nobody waits behind it. */
  readonly #queue = new Set<Waiter>();

  constructor(private readonly options: GateOptions) {}

  /** Whether somebody has the session or waits for it. */
  get isBusy(): boolean {
    return this.#holder !== undefined || this.#queue.size > 0;
  }

  /** Number of callers that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Waits for the session. Throws `StoreBusyError` when the limit passes, or at once where the wait could never end;
   * `AbortedError` when the signal fires; the reason given to `close` once the gate is closed.
   */
  async take(options: TurnOptions = {}): Promise<Turn> {
    if (this.#closed !== undefined) throw this.#closed;
    if (options.signal?.aborted) throw aborted(options.signal, this.options.name);
    const scope = this.options.scope();
    const asking: Holder = {
      label: options.label ?? scope?.label ?? (options.transaction ? 'a transaction' : 'a query'),
      since: Date.now(),
      transaction: options.transaction ?? false,
      ...(scope !== undefined && { scope }),
    };
    if (this.#holder === undefined) return this.#admit(asking);
    if (this.#holder.transaction && isWithin(scope, this.#holder.scope)) throw this.#entangled(asking, this.#holder);
    return this.#wait(asking, options);
  }

  /** Refuses everyone who waits and everyone who comes later, with this error. The holder may finish. */
  close(reason: Error): void {
    this.#closed ??= reason;
    for (const waiter of this.#queue) waiter.refuse(this.#closed);
  }

  #wait(asking: Holder, options: TurnOptions): Promise<Turn> {
    return new Promise<Turn>((resolve, reject) => {
      const limit = options.timeoutMs ?? this.options.timeoutMs;
      const leave = () => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
        this.#queue.delete(waiter);
      };
      const waiter: Waiter = {
        ...asking,
        admit: () => {
          leave();
          resolve(this.#admit(asking));
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = () => waiter.refuse(aborted(options.signal, this.options.name));
      const timer = setTimeout(() => waiter.refuse(this.#late(asking, limit)), limit);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.add(waiter);
    });
  }

  #admit(asking: Holder): Turn {
    const holder: Holder = { ...asking, since: Date.now() };
    this.#holder = holder;
    return {
      end: () => {
        if (this.#holder !== holder) return;
        this.#holder = undefined;
        const [next] = this.#queue;
        next?.admit();
      },
    };
  }

  #late(asking: Holder, limit: number): StoreBusyError {
    const holder = this.#holder;
    const who = holder === undefined ? 'nobody any more' : `${holder.label}, for ${Date.now() - holder.since} ms`;
    return new StoreBusyError(
      `${this.options.name} has one session, and ${asking.label} waited ${limit} ms for it. It is held by ${who}. Keep transactions short, raise acquireTimeoutMs, or use a server by its url.`,
      { store: this.options.name },
    );
  }

  #entangled(asking: Holder, holder: Holder): StoreBusyError {
    return new StoreBusyError(
      `${this.options.name} has one session. It is held by ${holder.label}, since ${Date.now() - holder.since} ms, and ${asking.label} was asked for inside that transaction's own callback but outside of its unit of work, so it would wait for ever. Use the callback's uow, or wait until the transaction is over.`,
      { store: this.options.name },
    );
  }
}

/** Whether code in `inner` runs inside the callback of `outer`. */
function isWithin(inner: WorkScope | undefined, outer: WorkScope | undefined): boolean {
  if (outer === undefined) return false;
  for (let scope = inner; scope !== undefined; scope = scope.outer) if (scope === outer) return true;
  return false;
}

function aborted(signal: AbortSignal | undefined, store: string): AbortedError {
  return new AbortedError(`The wait for the session of ${store} was aborted by the caller's signal.`, {
    store,
    cause: signal?.reason,
  });
}
