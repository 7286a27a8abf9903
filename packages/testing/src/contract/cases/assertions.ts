/** The few assertions that node:assert does not have in one word. */
import assert from 'node:assert/strict';
import type { StoreweaveError } from '@storeweave/core';

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** The work is refused with an error of this class; gives the error. */
export async function refused<E extends StoreweaveError>(expected: ErrorClass<E>, work: () => unknown): Promise<E> {
  try {
    await work();
  } catch (error) {
    if (error instanceof expected) return error;
    throw new assert.AssertionError({
      message: `Expected ${expected.name} but got ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
      actual: error,
      expected,
    });
  }
  throw new assert.AssertionError({ message: `Expected ${expected.name} but nothing was refused` });
}

/** The same elements in any order. */
export function sameSet<T extends string | number>(actual: Iterable<T>, expected: Iterable<T>): void {
  assert.deepEqual([...actual].sort(), [...expected].sort());
}

/** The numbers from 0 to n - 1. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** The value, which must be there. */
export function there<T>(value: T | null | undefined, what = 'value'): T {
  assert.ok(value !== null && value !== undefined, `expected a ${what}`);
  return value;
}
