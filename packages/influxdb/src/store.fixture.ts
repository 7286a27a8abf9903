/** A store over buckets of its own on the run's InfluxDB, and measurements for the tests of this package. */
import {
  compileDomain,
  type DomainModel,
  type EntityClass,
  type EntityModel,
  Field,
  Measurement,
  type Row,
  Tag,
  Timestamp,
} from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { influxdb } from './influxdb.js';
import type { InfluxdbOptions } from './options.js';
import type { InfluxdbStore } from './store.js';

/** One field of each kind, and tags that are texts. */
@Measurement({ name: 'sensor readings' })
export class Sample {
  @Timestamp({ precision: 'ns' }) at!: bigint;
  @Tag() place!: string;
  @Tag('integer') channel!: number;
  @Field('float') level!: number;
  @Field('float', { nullable: true }) real!: number | null;
  @Field('integer', { nullable: true }) whole!: number | null;
  @Field('bigint', { nullable: true }) big!: bigint | null;
  @Field('boolean', { nullable: true }) flag!: boolean | null;
  @Field('string', { nullable: true }) word!: string | null;
  @Field('decimal', { nullable: true }) exact!: string | null;
}

/** The plain case: milliseconds, one tag, one value that is always there. */
@Measurement()
export class Beat {
  @Timestamp() at!: Date;
  @Tag() source!: string;
  @Field() value!: number;
}

/** Only kept for a day. */
@Measurement({ retention: '1d' })
export class Trace {
  @Timestamp() at!: Date;
  @Tag() source!: string;
  @Field() value!: number;
}

export const domain: DomainModel = compileDomain([Sample, Beat, Trace]);

export const model = (entity: EntityClass): EntityModel => domain.of(entity);

/** How to reach the run's server, with bucket names of one's own. */
export async function serverOptions(name: string): Promise<InfluxdbOptions> {
  const { url, token, org, space } = await sharedServer('influxdb');
  return { url, token, org, bucketPrefix: await space(name) };
}

/** A store with its buckets made. Close it afterwards. */
export async function openStore(options: InfluxdbOptions, entities = domain.entities): Promise<InfluxdbStore> {
  const store = influxdb(options);
  await store.open({ name: 'timeseries', entities });
  await store.schema.apply(await store.schema.plan({}), {});
  return store;
}

/** Writes whole rows, aligned with the entity's fields. */
export const insert = (store: InfluxdbStore, entity: EntityModel, rows: readonly Row[]) =>
  store.write({ op: 'insert', entity, fields: entity.fields, rows }, {});

/** Everything that is there, by time. */
export const everything = (store: InfluxdbStore, entity: EntityModel) =>
  store.read(
    {
      entity,
      fields: entity.fields,
      order: entity.ids.map((field) => ({ on: { field }, direction: 'asc', nulls: 'last' })),
    },
    {},
  );
