/**
 * What is on the server and does not fit the metadata. None of it can be mended by a statement without losing points, so
 * all of it is only reported: a field that has another type, and points that are in the bucket where their entity was
 * before its retention was declared or taken away.
 */
import type { SchemaChange } from '@storeweave/core';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';
import { type FieldTypes, fieldTypes } from './field-types.js';
import type { Layout } from './names.js';
import { fieldForm } from './values.js';

/** Differences in buckets that are there. */
export async function driftOf(
  layouts: readonly Layout[],
  buckets: ReadonlySet<string>,
  connection: Connection,
  call: Call,
): Promise<SchemaChange[]> {
  const known = new Map<string, FieldTypes>();
  for (const bucket of new Set(layouts.flatMap((layout) => [layout.bucket, layout.otherBucket]))) {
    if (buckets.has(bucket)) known.set(bucket, await fieldTypes({ bucket }, connection, call));
  }
  return layouts.flatMap((layout) => {
    const { entity, bucket, otherBucket, measurement } = layout;
    const drift = (summary: string): SchemaChange => ({
      entity: entity.name,
      kind: 'drift',
      summary,
      statements: [],
      destructive: false,
    });
    const found: SchemaChange[] = [];
    if (known.get(otherBucket)?.has(measurement)) {
      found.push(
        drift(
          `points of ${measurement} are in bucket ${otherBucket}, where ${entity.name} is not kept any more: move them to ${bucket}, or delete them`,
        ),
      );
    }
    const types = known.get(bucket)?.get(measurement);
    for (const field of layout.measures) {
      if (types !== undefined && !field.nullable && !types.has(field.column)) {
        found.push(
          drift(
            `points of ${measurement} in bucket ${bucket} have no field ${field.column}, which ${entity.name}.${field.name} says all have: counts and limits pass over them. Write it to them, or declare it nullable`,
          ),
        );
      }
      const { kind } = fieldForm(field);
      const others = [...(types?.get(field.column) ?? [])].filter((type) => type !== kind);
      if (others.length === 0) continue;
      found.push(
        drift(
          `field ${field.column} of ${measurement} has points of type ${others.join(', ')} in bucket ${bucket}, and ${entity.name}.${field.name} is kept as ${kind}: the server refuses such points where it has others, or does not find them. Give it another column`,
        ),
      );
    }
    return found;
  });
}
