/**
 * Which types the fields on the server have. Flux does not tell them without reading points; the older query language
 * does, from the index. A field may have several, as each span of time that the server keeps apart has its own.
 */
import { SchemaError } from '@storeweave/core';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';

/** Types by measurement and field. */
export type FieldTypes = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

interface Answer {
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly { readonly name: string; readonly values: readonly (readonly [string, string])[] }[];
  }[];
}

/** Of a whole bucket, or of one measurement in it. Throws `SchemaError` where the bucket is not there. */
export async function fieldTypes(
  { bucket, measurement }: { readonly bucket: string; readonly measurement?: string },
  connection: Connection,
  call: Call,
): Promise<FieldTypes> {
  const from = measurement === undefined ? '' : ` FROM ${identifier(measurement)}`;
  const query = { db: bucket, q: `SHOW FIELD KEYS${from}` };
  const { results } = await connection.request<Answer>({ method: 'GET', path: '/query', query }, call);
  const [result] = results ?? [];
  if (result?.error !== undefined) {
    throw new SchemaError(
      `InfluxDB could not tell the fields of bucket ${bucket}: ${result.error}. Make the buckets by weave.schema.apply(), or open with schema: 'apply'.`,
      call.entity === undefined ? {} : { entity: call.entity.name, store: call.entity.store },
    );
  }
  const measurements = new Map<string, Map<string, Set<string>>>();
  for (const { name, values } of result?.series ?? []) {
    const fields = new Map<string, Set<string>>();
    for (const [field, type] of values) fields.set(field, new Set([...(fields.get(field) ?? []), type]));
    measurements.set(name, fields);
  }
  return measurements;
}

function identifier(name: string): string {
  return `"${name.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
