/** Values inside of documents by their keys, from the document down. */
import type { Document } from 'mongodb';

/** Undefined where a key on the way is missing. */
export function leafOf(document: Document, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (object, key) => (object === null || typeof object !== 'object' ? undefined : (object as Document)[key]),
    document,
  );
}

/** Makes the objects on the way. */
export function putLeaf(document: Document, keys: readonly string[], value: unknown): void {
  let object = document;
  for (const key of keys.slice(0, -1)) {
    object[key] ??= {};
    object = object[key] as Document;
  }
  object[keys.at(-1) ?? ''] = value;
}
