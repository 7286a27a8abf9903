/**
 * Where an entity's points are: its bucket, its measurement, its keys. In InfluxDB a bucket is what is kept for a time
 * and what a token may read, and a measurement is what a table is elsewhere. So measurements without a retention share
 * the bucket of their logical store, and one with a retention has a bucket of its own, whose retention can then change
 * without moving a point. docs: the README of this package.
 */
import { ConfigurationError, type EntityModel, type Field } from '@storeweave/core';

/** What an entity is in InfluxDB. */
export interface Layout {
  readonly entity: EntityModel;
  readonly bucket: string;
  /** The bucket that it would have with a retention, or without: whichever it has not. */
  readonly otherBucket: string;
  readonly measurement: string;
  readonly time: Field;
  readonly tags: readonly Field[];
  readonly measures: readonly Field[];
  /**
   * Key of a field that lists which nullable fields a point has; absent where there are none. Line protocol can only
   * merge fields into a point that is there: without this list a value could never be taken away again.
   */
  readonly presence: string | undefined;
  /** Key of a field that every point has. */
  readonly anchor: string;
  /** Nanoseconds in one unit of the timestamp. */
  readonly unit: bigint;
  /** Points older than this are dropped by the server. In milliseconds; absent: none are. */
  readonly retentionMs: number | undefined;
}

/** Key of the field that lists the nullable fields of a point: `,celsius,humidity,`. */
export const PRESENCE = 'storeweave.present';

const UNITS = { ms: 1_000_000n, us: 1_000n, ns: 1n } as const;
const LENGTHS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * The layout of an entity.
 *
 * @throws ConfigurationError where a name of the entity cannot be one in InfluxDB.
 */
export function layoutOf(entity: EntityModel, bucketPrefix: string): Layout {
  const { timestamp } = entity;
  if (timestamp === undefined) {
    throw new ConfigurationError(
      `${entity.name} is ${entity.kind} and has no timestamp; InfluxDB keeps measurements only. Declare it with @Measurement.`,
      { entity: entity.name, store: entity.store },
    );
  }
  const tags = entity.fields.filter((field) => field.role === 'tag');
  const measures = entity.fields.filter((field) => field.role === 'measure');
  checkName(entity, entity.source, 'the measurement');
  for (const field of [...tags, ...measures])
    checkName(entity, field.column, `the column of ${field.name}`, field.name);
  const presence = measures.some((field) => field.nullable) ? PRESENCE : undefined;
  const required = measures.find((field) => !field.nullable);
  const retention = entity.annotations.get('retention');
  const shared = `${bucketPrefix}${entity.namespace ?? entity.store}`;
  const own = `${shared}.${entity.source}`;
  return {
    entity,
    bucket: retention === undefined ? shared : own,
    otherBucket: retention === undefined ? own : shared,
    measurement: entity.source,
    time: timestamp,
    // In the order of their keys, as the server keeps them.
    tags: tags.sort((a, b) => (a.column < b.column ? -1 : 1)),
    measures,
    presence,
    anchor: required?.column ?? PRESENCE,
    unit: UNITS[timestamp.timePrecision],
    retentionMs: typeof retention === 'string' ? milliseconds(entity, retention) : undefined,
  };
}

function milliseconds(entity: EntityModel, length: string): number {
  const [, digits, unit = 'ms'] = /^(\d+)\s*(ms|s|m|h|d|w)$/.exec(length) ?? [];
  const ms = Number(digits) * (LENGTHS[unit] ?? 1);
  if (ms >= 3_600_000) return ms;
  throw new ConfigurationError(
    `${entity.name} is to be kept for ${length}, and InfluxDB keeps points for an hour at least. Declare a retention of '1h' or more.`,
    { entity: entity.name, store: entity.store },
  );
}

function checkName(entity: EntityModel, name: string, what: string, property?: string): void {
  const problem =
    name === ''
      ? 'is empty'
      : name.startsWith('_')
        ? 'begins with an underscore, which the server keeps for itself'
        : name === 'time'
          ? "is 'time', which the server keeps for itself"
          : name === PRESENCE
            ? 'is the name that this store keeps for itself'
            : // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
              /[\u0000-\u001f\u007f,\\"\ud800-\udfff]/u.test(name)
              ? 'has a control character, a comma, a quote or a backslash'
              : undefined;
  if (problem === undefined) return;
  throw new ConfigurationError(
    `${entity.name}: ${what}, ${JSON.stringify(name)}, ${problem}. Name another one ({ column }, or { name } of @Measurement).`,
    { entity: entity.name, store: entity.store, ...(property === undefined ? {} : { property }) },
  );
}
