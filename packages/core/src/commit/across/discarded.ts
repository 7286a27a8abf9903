/**
 * How the journal says that a dead letter is given up: before anything is taken off, so that from then on nobody tries it
 * again, and whoever discards it after a death in between goes on where the first one stopped.
 */
import type { Failure, OpenUnit } from '../../store/commit.js';

/** Errors of relays begin with the name of a class. */
const MARK = 'discarded: ';

export function isDiscarded({ dead, error }: OpenUnit): boolean {
  return dead && error?.startsWith(MARK) === true;
}

/** One attempt more than it had, so that whoever looked before and notes afterwards does not find what they saw. */
export function discarding({ attempts, dead }: OpenUnit, reason: string): Failure {
  return { error: `${MARK}${reason}`, attempts: attempts + 1, dead: true, over: { attempts, dead } };
}
