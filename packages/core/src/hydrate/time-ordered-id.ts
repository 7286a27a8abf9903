/**
 * Makes ids. `uuid` lays out the bytes; the randomness comes from a pool, because asking the system for sixteen bytes at
 * a time costs more than the rest of creating an entity.
 */
import { v7 } from 'uuid';

const BYTES = 16;
const pool = new Uint8Array(BYTES * 256);
const random = new Uint8Array(BYTES);
let used = pool.length;
let last = 0;
let sequence = 0;

/** A UUIDv7 that sorts after every one that this process has made before. */
export function timeOrderedId(): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  for (let at = 0; at < BYTES; at++) random[at] = pool[used + at] ?? 0;
  used += BYTES;
  const now = Date.now();
  if (now > last) {
    last = now;
    // Half of the range is left to count up in.
    sequence =
      (((random[0] ?? 0) << 23) | ((random[1] ?? 0) << 16) | ((random[2] ?? 0) << 8) | (random[3] ?? 0)) & 0x7fffffff;
  } else {
    sequence++;
    if (sequence > 0xffffffff) {
      sequence = 0;
      last++;
    }
  }
  return v7({ random, msecs: last, seq: sequence });
}
