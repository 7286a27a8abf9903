/** JSON values compared as PostgreSQL's `jsonb` does, which the other databases do not quite. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The value at a path, where array positions are decimal keys; undefined where there is none. */
export function jsonAt(value: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const key of path) {
    if (Array.isArray(at)) at = /^-?\d+$/.test(key) ? (at as readonly Json[]).at(Number(key)) : undefined;
    else if (at !== null && typeof at === 'object') {
      at = Object.hasOwn(at, key) ? (at as { readonly [key: string]: Json })[key] : undefined;
    } else return undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

/** `@>`: objects by their keys, lists by their elements, and a list has a plain value that is an element of it. */
export function containsJson(whole: Json, part: Json, top = true): boolean {
  if (Array.isArray(whole)) {
    const items = whole as readonly Json[];
    if (Array.isArray(part)) return (part as readonly Json[]).every((each) => items.some((item) => within(item, each)));
    return top && (part === null || typeof part !== 'object') && items.includes(part as never);
  }
  return within(whole, part);
}

function within(whole: Json, part: Json): boolean {
  if (Array.isArray(whole) || Array.isArray(part)) {
    return Array.isArray(whole) && Array.isArray(part) && containsJson(whole as Json, part as Json, false);
  }
  if (whole === null || part === null || typeof whole !== 'object' || typeof part !== 'object') return whole === part;
  const [outer, inner] = [whole, part] as { readonly [key: string]: Json }[];
  return Object.entries(inner ?? {}).every(
    ([key, value]) => Object.hasOwn(outer ?? {}, key) && within(outer?.[key] as Json, value),
  );
}

/** Less than, equal to or more than 0 among strings, numbers and booleans of one type; undefined for the others. */
export function compareJson(a: Json, b: Json): number | undefined {
  if (typeof a !== typeof b || a === null || typeof a === 'object') return undefined;
  if (a === b) return 0;
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return a < (b as typeof a) ? -1 : 1;
}
