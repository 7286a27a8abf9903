/**
 * A validator as it should be against the one that is there. Properties that only the old one knows stay in it, as long
 * as they may be left out: another version of the application may still write them.
 */
import { BSON, type Document } from 'mongodb';
import { RESERVATION } from './fence-form.js';

export interface ValidatorChange {
  /** The validator to set; undefined where the one that is there will do. */
  readonly wanted: Document | undefined;
  /** Paths of the properties that are not declared any more. */
  readonly undeclared: readonly string[];
}

export function validatorChange(wanted: Document, found: Document | undefined): ValidatorChange {
  const before = schemaIn(found);
  const schema = schemaIn(wanted);
  if (found === undefined || before === undefined || schema === undefined) {
    return { wanted: same(wanted, found) ? undefined : wanted, undeclared: [] };
  }
  const undeclared: string[] = [];
  const merged = { $jsonSchema: merge(schema, before, '', undeclared) };
  // Once reservations are let through, they stay: another process may still make them.
  const validator = wanted.$or === undefined && found.$or === undefined ? merged : { $or: [merged, RESERVATION] };
  return { wanted: same(validator, found) ? undefined : validator, undeclared };
}

/** The schema of a validator of ours, by itself or beside reservations; undefined for anybody else's. */
function schemaIn(validator: Document | undefined): Document | undefined {
  if (validator === undefined || Object.keys(validator).length !== 1) return undefined;
  const [first, second, ...others] = Array.isArray(validator.$or) ? (validator.$or as Document[]) : [validator];
  if (second !== undefined && (others.length > 0 || !same(second, RESERVATION))) return undefined;
  return first?.$jsonSchema as Document | undefined;
}

function merge(wanted: Document, found: Document, prefix: string, undeclared: string[]): Document {
  const properties: Document = { ...(wanted.properties as Document | undefined) };
  for (const [key, old] of Object.entries((found.properties as Document | undefined) ?? {})) {
    const own = properties[key] as Document | undefined;
    if (own === undefined) {
      undeclared.push(`${prefix}${key}`);
      properties[key] = old;
    } else if (own.properties !== undefined && (old as Document).properties !== undefined) {
      properties[key] = merge(own, old as Document, `${prefix}${key}.`, undeclared);
    }
  }
  return { ...wanted, ...(wanted.properties === undefined ? {} : { properties }) };
}

function same(a: unknown, b: unknown): boolean {
  return BSON.EJSON.stringify({ it: sorted(a) }) === BSON.EJSON.stringify({ it: sorted(b) });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
