/** The explorer itself: a checker that cannot fail would pass every protocol. */
import { expect, test } from 'vitest';
import { explore, type System } from './explore.js';

/** A counter that goes up by one or two, and back to nothing by a fault. */
function counter(bad: (n: number) => string | undefined, rest: (n: number) => boolean): System<number> {
  return {
    initial: 0,
    key: String,
    next: (n, emit) => {
      if (n < 4) emit('one', 0, n + 1, false);
      if (n < 3) emit('two', 0, n + 2, false);
      if (n === 4) emit('fault', 1, 0, true);
    },
    violation: bad,
    atRest: rest,
    describe: (label, _actor, to) => `${label} → ${to}`,
  };
}

test('a right system is walked wholly, each state once', () => {
  const found = explore(
    counter(
      () => undefined,
      (n) => n === 4,
    ),
    100,
  );
  expect(found).toEqual({ states: 5, transitions: 8, complete: true, violation: undefined });
});

test('the trace of a violation is the shortest', () => {
  const found = explore(
    counter(
      (n) => (n === 4 ? 'four' : undefined),
      () => true,
    ),
    100,
  );
  expect(found.violation).toEqual({ what: 'four', trace: ['two → 2', 'two → 4'] });
});

test('a state that reaches rest only by a fault is a violation', () => {
  const found = explore(
    counter(
      () => undefined,
      (n) => n === 0,
    ),
    100,
  );
  expect(found.violation?.what).toBe('rest can no longer be reached');
});

test('a walk that ends at its limit says so', () => {
  const found = explore(
    counter(
      () => undefined,
      () => true,
    ),
    2,
  );
  expect(found.complete).toBe(false);
});
