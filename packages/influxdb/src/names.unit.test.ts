import {
  ConfigurationError,
  compileDomain,
  type EntityModel,
  Field,
  Id,
  Measurement,
  Relational,
  Tag,
  Timestamp,
} from '@storeweave/core';
import { describe, expect, it } from 'vitest';
import { layoutOf } from './names.js';

@Measurement({ name: 'loads', retention: '12 h', store: 'metrics' })
class Load {
  @Timestamp({ precision: 'us' }) at!: bigint;
  @Tag() zone!: string;
  @Tag() host!: string;
  @Field('float', { nullable: true }) one!: number | null;
  @Field('float') five!: number;
}

@Measurement()
class Optional {
  @Timestamp() at!: Date;
  @Field('float', { nullable: true }) value!: number | null;
}

@Relational()
class Person {
  @Id() id!: string;
}

const domain = compileDomain([Load, Optional, Person]);

function renamed(entity: EntityModel, change: { source?: string; column?: string }): EntityModel {
  const fields = entity.fields.map((field) =>
    field.role === 'measure' && change.column !== undefined ? { ...field, column: change.column } : field,
  );
  return { ...entity, fields, source: change.source ?? entity.source };
}

describe('the layout of an entity', () => {
  it('has a bucket of its own where points are kept for a time, and shares one otherwise', () => {
    expect(layoutOf(domain.of(Load), 'app_')).toMatchObject({
      bucket: 'app_metrics.loads',
      otherBucket: 'app_metrics',
      measurement: 'loads',
      retentionMs: 43_200_000,
      unit: 1_000n,
    });
    const shared = layoutOf(domain.of(Optional), '');
    expect(shared).toMatchObject({ bucket: 'timeseries', otherBucket: 'timeseries.optional', unit: 1_000_000n });
    expect(shared.retentionMs).toBeUndefined();
  });

  it('has a key that every point has, and lists what is present only where something can be absent', () => {
    const load = layoutOf(domain.of(Load), '');
    expect([load.anchor, load.presence]).toEqual(['five', 'storeweave.present']);
    expect(load.tags.map((field) => field.column)).toEqual(['host', 'zone']);
    const optional = layoutOf(domain.of(Optional), '');
    expect([optional.anchor, optional.presence]).toEqual(['storeweave.present', 'storeweave.present']);
  });

  it('refuses a retention that the server does not have', () => {
    const entity = { ...domain.of(Load), annotations: new Map([['retention', '59m']]) };
    expect(() => layoutOf(entity, '')).toThrow(/an hour at least/);
  });

  it('refuses what is no measurement, and names that the server does not keep', () => {
    expect(() => layoutOf(domain.of(Person), '')).toThrow(ConfigurationError);
    const names = ['', '_value', 'time', 'a,b', 'a\nb', 'a\\', 'a"b', '\ud800', 'storeweave.present'];
    for (const name of names) {
      expect(() => layoutOf(renamed(domain.of(Optional), { source: name }), ''), name).toThrow(ConfigurationError);
      expect(() => layoutOf(renamed(domain.of(Optional), { column: name }), ''), name).toThrow(/column of value/);
    }
    for (const name of ['a b', 'a=b', "it's", '漢字', `\${1 + 1}`, 'a.b'])
      expect(layoutOf(renamed(domain.of(Optional), { source: name }), '').measurement).toBe(name);
  });
});
