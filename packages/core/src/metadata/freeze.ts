/** Freezes the compiled model in depth: what everything relies on must not change under anyone's hands. */

/** A map that can no longer be changed; `Object.freeze` does not reach inside a Map. */
export class FrozenMap<K, V> extends Map<K, V> {
  constructor(entries: Iterable<readonly [K, V]>) {
    super();
    for (const [key, value] of entries) super.set(key, value);
    Object.freeze(this);
  }

  override set(_key: K, _value: V): this {
    return refuse();
  }

  override delete(_key: K): boolean {
    return refuse();
  }

  override clear(): void {
    refuse();
  }
}

function refuse(): never {
  throw new TypeError('The metadata is frozen; it cannot be changed after open().');
}

/** Freezes plain objects, arrays and frozen maps, through every reference; leaves classes, functions and instances alone. */
export function deepFreeze(value: unknown): void {
  const pending: unknown[] = [value];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if (next instanceof FrozenMap) {
      for (const [key, item] of next) pending.push(key, item);
    } else if (Array.isArray(next) || isPlain(next)) {
      Object.freeze(next);
      pending.push(...Object.values(next));
    }
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
