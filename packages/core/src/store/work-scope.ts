/**
 * Inside whose callback the running code is. A store that has one session for everybody must tell a caller that will
 * be served in a moment from one that waits for the transaction around itself, which would be for ever. Whoever runs a
 * unit of work's callback runs it in a scope; stores only compare.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface WorkScope {
  /** Who asks, for messages. */
  readonly label?: string;
  /** The scope around this one. */
  readonly outer?: WorkScope;
}

const scopes = new AsyncLocalStorage<WorkScope>();

/** The innermost scope of the running code, if any. */
export function currentScope(): WorkScope | undefined {
  return scopes.getStore();
}

/** Runs work in a scope of its own, inside the current one. */
export function runInScope<R>(label: string | undefined, work: () => R): R {
  const outer = scopes.getStore();
  return scopes.run({ ...(label !== undefined && { label }), ...(outer !== undefined && { outer }) }, work);
}
