/** Buckets and how long they keep points follow the metadata; what cannot be mended is reported. */
import {
  compileDomain,
  type EntityClass,
  type EntityModel,
  Field,
  Measurement,
  SchemaError,
  Storeweave,
  Tag,
  Timestamp,
} from '@storeweave/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { influxdb } from './influxdb.js';
import type { InfluxdbOptions } from './options.js';
import { Beat, everything, insert, model, openStore, serverOptions } from './store.fixture.js';

const beat = model(Beat);
const NOW = Date.now();

/** The same measurement with another retention or another type of its field. */
function visits(
  retention: string | undefined,
  type: 'float' | 'integer' = 'float',
): { Visit: EntityClass; entity: EntityModel } {
  class Visit {
    declare at: Date;
    declare page: string;
    declare seconds: number;
  }
  Timestamp()(Visit.prototype as never, 'at' as never);
  Tag()(Visit.prototype as never, 'page' as never);
  (Field(type) as unknown as (target: object, name: string) => void)(Visit.prototype, 'seconds');
  (Measurement(retention === undefined ? {} : { retention }) as unknown as (target: unknown) => void)(Visit);
  return { Visit, entity: compileDomain([Visit]).of(Visit) };
}

describe('the schema', () => {
  let options: InfluxdbOptions;
  beforeEach(async () => {
    options = await serverOptions('schema');
  });

  const plan = async (...entities: EntityModel[]) => {
    const store = influxdb(options);
    await store.open({ name: 'timeseries', entities });
    const changes = await store.schema.plan({});
    return { store, changes };
  };

  it('has a bucket for the store, and one for each measurement with a retention', async () => {
    const { entity } = visits('30d');
    const { store, changes } = await plan(beat, entity);
    const prefix = options.bucketPrefix;
    expect(changes.map(({ kind, summary, destructive }) => [kind, summary, destructive])).toEqual([
      ['create', `create bucket ${prefix}timeseries, which keeps points for ever`, false],
      ['create', `create bucket ${prefix}timeseries.visit, which keeps points for 2592000 s`, false],
    ]);
    await store.schema.apply(changes, {});
    expect(await store.schema.plan({})).toEqual([]);
    // As another process that planned before we applied.
    await store.schema.apply(changes, {});
    await insert(store, beat, [[0, 's', 1]]);
    await insert(store, entity, [[NOW, 'p', 1]]);
    expect(await everything(store, entity)).toEqual([[NOW, 'p', 1]]);
    expect(await store.schema.plan({})).toEqual([]);
    await store.close();
  });

  it('changes the retention, and a shorter one only when told to', async () => {
    const first = await openStore(options, [visits('30d').entity]);
    await insert(first, visits('30d').entity, [[NOW, 'p', 1]]);
    await first.close();
    for (const [retention, destructive] of [
      ['60d', false],
      ['14d', true],
    ] as const) {
      const { entity } = visits(retention);
      const { store, changes } = await plan(entity);
      expect(changes.map((change) => [change.kind, change.destructive, change.entity])).toEqual([
        ['alter', destructive, 'Visit'],
      ]);
      await store.schema.apply(changes, {});
      expect(await store.schema.plan({})).toEqual([]);
      expect(await everything(store, entity)).toEqual([[NOW, 'p', 1]]);
      await store.close();
    }
  });

  it('reports points that are where their entity was', async () => {
    const { entity } = visits(undefined);
    const store = await openStore(options, [entity]);
    await insert(store, entity, [[NOW, 'p', 1]]);
    await store.close();
    const { store: later, changes } = await plan(visits('30d').entity);
    expect(changes.map(({ kind }) => kind)).toEqual(['create', 'drift']);
    expect(changes[1]?.summary).toMatch(/points of visit are in bucket .*timeseries, where Visit is not kept any more/);
    await later.close();
  });

  it('reports a field that has another type', async () => {
    const store = await openStore(options, [visits(undefined).entity]);
    await insert(store, visits(undefined).entity, [[NOW, 'p', 1]]);
    await store.close();
    const { store: later, changes } = await plan(visits(undefined, 'integer').entity);
    expect(changes.map(({ kind, entity }) => [kind, entity])).toEqual([['drift', 'Visit']]);
    expect(changes[0]?.summary).toMatch(
      /field seconds of visit has points of type float .* Visit.seconds is kept as integer/,
    );
    await later.close();
  });

  it('reports a field that all points should have and none has', async () => {
    const { entity } = visits(undefined);
    const store = await openStore(options, [entity]);
    await insert(store, entity, [[NOW, 'p', 1]]);
    await store.close();
    const renamed = entity.fields.map((field) => (field.name === 'seconds' ? { ...field, column: 'duration' } : field));
    const { store: later, changes } = await plan({ ...entity, fields: renamed });
    expect(changes.map(({ kind }) => kind)).toEqual(['drift']);
    expect(changes[0]?.summary).toMatch(/have no field duration, which Visit.seconds says all have/);
    await later.close();
  });

  it("is made by opening, and missed by opening with 'verify'", async () => {
    const { Visit } = visits('1d');
    const open = (schema: 'apply' | 'verify') =>
      Storeweave.open({ entities: [Visit], stores: { timeseries: influxdb(options) }, schema });
    await expect(open('verify')).rejects.toBeInstanceOf(SchemaError);
    await (await open('apply')).close();
    const weave = await open('verify');
    expect((await weave.schema.plan()).isEmpty).toBe(true);
    await weave.close();
  });
});
