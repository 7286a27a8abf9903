/** Reads `p => p.author` by calling it with an object that remembers what was asked of it. */

/** The properties a selector walks through: `['author']`, `['home', 'zip']`. Undefined if it does anything else. */
export function selectedPath(selector: (target: never) => unknown): readonly string[] | undefined {
  const paths = new WeakMap<object, readonly string[]>();
  const recorder = (path: readonly string[]): object => {
    const proxy: object = new Proxy(Object.freeze({}), {
      get: (_, key) => (typeof key === 'string' ? recorder([...path, key]) : undefined),
    });
    paths.set(proxy, path);
    return proxy;
  };
  try {
    const result = selector(recorder([]) as never);
    const path = typeof result === 'object' && result !== null ? paths.get(result) : undefined;
    return path !== undefined && path.length > 0 ? path : undefined;
  } catch {
    return undefined;
  }
}
