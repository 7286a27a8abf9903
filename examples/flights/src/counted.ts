/**
 * Counts the questions that stores are asked, so that the job can show that their number does not depend on the number
 * of rows. A store is a plain interface, so it can be wrapped from outside.
 */
import type { Store } from '@storeweave/core';

/** Calls that ask a store for something, by the object that has them. */
const QUESTIONS = new Set<string | symbol>([
  'read',
  'count',
  'aggregate',
  'stream',
  'window',
  'traverse',
  'shortestPath',
  'sql',
]);

/** Parts of a store that have questions of their own. */
const PARTS = new Set<string | symbol>(['graph', 'series', 'documents', 'relational']);

export class QueryCount {
  #byStore = new Map<string, number>();

  add(store: string): void {
    this.#byStore.set(store, (this.#byStore.get(store) ?? 0) + 1);
  }

  /** Questions since the last call, by logical store. */
  take(): ReadonlyMap<string, number> {
    const taken = this.#byStore;
    this.#byStore = new Map();
    return taken;
  }
}

/** The same stores, each question noted in `count`. */
export function counted(stores: Readonly<Record<string, Store>>, count: QueryCount): Record<string, Store> {
  return Object.fromEntries(
    Object.entries(stores).map(([name, store]) => [name, watched(store, () => count.add(name))]),
  );
}

function watched<T extends object>(target: T, asked: () => void): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (PARTS.has(name) && typeof value === 'object' && value !== null) return watched(value, asked);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (QUESTIONS.has(name)) asked();
        return Reflect.apply(value, target, args);
      };
    },
  });
}
