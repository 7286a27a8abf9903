/**
 * Names in the store, where the user gave none. The rules are part of the public contract: changing one renames
 * tables of existing databases.
 */
import { createHash } from 'node:crypto';

/** PostgreSQL cuts longer names silently; the other stores allow more. */
export const MAX_NAME = 63;

/** `homeAddress` → `home_address`, `userID2` → `user_id2`, `home.zip` → `home_zip`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z\d]+/g, '_')
    .toLowerCase();
}

/** `friendsWith` → `FRIENDS_WITH`. */
export function upperSnakeCase(name: string): string {
  return snakeCase(name).toUpperCase();
}

/** Plural of the last word: `user` → `users`, `category` → `categories`, `address` → `addresses`. */
export function plural(name: string): string {
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(name) ? `${name}es` : `${name}s`;
}

/** A name of at most 63 bytes; a longer one is cut and ends in a hash of the whole, always the same. */
export function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  let head = name;
  while (Buffer.byteLength(head) > MAX_NAME - 9) head = head.slice(0, -1);
  return `${head}_${hash}`;
}
