/**
 * What many rows hold, as one short text that does not depend on their order: two stores that sort keys differently
 * still agree on it. The sum, modulo 2^256, of the SHA-256 of each row; unlike a XOR, a sum does not lose pairs.
 */
import { createHash } from 'node:crypto';
import { JSON_NULL, type Row, type Value } from '../../model/field.js';

const MODULUS = 2n ** 256n;

export class Digest {
  #sum = 0n;

  /** Takes a row in; fields in the order of the entity. */
  add(row: Row): void {
    this.#sum = (this.#sum + hashOf(row)) % MODULUS;
  }

  /** Takes out a row that was taken in. */
  remove(row: Row): void {
    this.#sum = (this.#sum + MODULUS - hashOf(row)) % MODULUS;
  }

  /** 64 hexadecimal digits. */
  toString(): string {
    return this.#sum.toString(16).padStart(64, '0');
  }
}

function hashOf(row: Row): bigint {
  return BigInt(`0x${createHash('sha256').update(canonical(row)).digest('hex')}`);
}

/** A text that is the same for equal values and for no others: each part tells its kind and its length. */
function canonical(value: Value): string {
  if (value === null || value === undefined) return '-';
  if (value === JSON_NULL) return 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join('')}]`;
  if (value instanceof Uint8Array) return part('b', Buffer.from(value).toString('hex'));
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, inner]) => part('k', name) + canonical(inner as Value)).join('')}}`;
  }
  return part(typeof value === 'string' ? 's' : typeof value === 'boolean' ? 't' : 'n', String(value));
}

function part(kind: string, text: string): string {
  return `${kind}${text.length}:${text}`;
}
