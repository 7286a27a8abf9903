/**
 * Which unit of work the running code is in. Kept in an `AsyncLocalStorage`, so that a repository that was injected once
 * joins whatever unit of work its caller is in, through every `await`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { WorkContext } from './ports.js';

/** A unit of work as far as code that runs inside it needs to know. */
export interface RunningWork {
  readonly context: WorkContext;
}

/** One level of a unit of work: the transaction itself, or one nested in it. */
export interface Scope {
  readonly work: RunningWork;
  /** Nested transactions of one level take turns, since savepoints are a stack. */
  turn: Promise<unknown>;
}

export class CurrentWork {
  readonly #scopes = new AsyncLocalStorage<Scope>();

  scope(): Scope | undefined {
    return this.#scopes.getStore();
  }

  work(): RunningWork | undefined {
    return this.#scopes.getStore()?.work;
  }

  run<R>(scope: Scope, callback: () => R): R {
    return this.#scopes.run(scope, callback);
  }
}
