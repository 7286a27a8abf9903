/**
 * A transaction is used by one caller at a time, while an application may well ask two things at once in one unit of
 * work. Calls wait here for their turn. A call that failed leaves the transaction unusable: some stores end it by
 * themselves at the first error, and what only some do must not differ, so it is remembered and refuses the commit.
 */
import { CapabilityError, ConfigurationError, InvalidQueryError, InvalidValueError } from '../errors/errors.js';
import type { Transaction } from '../store/access.js';

interface Turns {
  last: Promise<unknown>;
  failure: unknown;
}

const turns = new WeakMap<Transaction, Turns>();

function turnsOf(transaction: Transaction): Turns {
  let found = turns.get(transaction);
  if (found === undefined) {
    found = { last: Promise.resolve(), failure: undefined };
    turns.set(transaction, found);
  }
  return found;
}

/** Runs a call when those before it have ended, however they ended. */
export function inTurn<R>(transaction: Transaction, call: () => Promise<R>): Promise<R> {
  const own = turnsOf(transaction);
  const result = own.last.then(call);
  own.last = result.catch((error: unknown) => {
    if (!isHarmless(error)) own.failure ??= error;
  });
  return result;
}

/** Why the transaction cannot be committed, if it cannot. */
export function failureOf(transaction: Transaction): unknown {
  return turnsOf(transaction).failure;
}

/** Going back to a savepoint mends what failed after it. */
export function mend(transaction: Transaction): void {
  turnsOf(transaction).failure = undefined;
}

/** Errors of the request itself, found before anything was sent. */
function isHarmless(error: unknown): boolean {
  return (
    error instanceof InvalidQueryError ||
    error instanceof InvalidValueError ||
    error instanceof CapabilityError ||
    error instanceof ConfigurationError
  );
}
