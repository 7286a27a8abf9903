import { describe, expect, it } from 'vitest';
import { Embedded } from '../decorators/embedded.js';
import { Relational } from '../decorators/models.js';
import { Id, Property } from '../decorators/property.js';
import { ManyToOne, OneToMany } from '../decorators/relations.js';
import { compileDomain } from '../metadata/compile.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import { Collection } from '../relations/collection.js';
import { type Ref, refState } from '../relations/ref.js';
import type { RelationBinding, RelationLoader } from '../relations/relation-loader.js';
import { entityCodec } from './entity-codec.js';

class Point {
  @Property('float') x!: number;
  @Property('float') y!: number;
}

class Place {
  @Property('string', { nullable: true }) name!: string | null;
  @Embedded(() => Point) at!: Point;
}

@Relational()
class Country {
  @Id('string') code!: string;
  @Id('integer') era!: number;
  @OneToMany(
    () => City,
    (city: City) => city.country,
  )
  cities = new Collection<City>();
}

/** Its constructor takes something, so it cannot be called for a loaded one. */
@Relational()
class City {
  static constructed = 0;
  @Id() id!: string;
  @Property('timestamp', { nullable: true }) founded!: Date | null;
  @Property('json', { nullable: true }) facts!: unknown;
  @Embedded(() => Place, { nullable: true }) place!: Place | null;
  @ManyToOne(() => Country, { nullable: true }) country!: Ref<Country>;
  @Property('string', { nullable: true }) 'odd "name"\n'!: string | null;

  constructor(readonly mayor: string) {
    City.constructed++;
  }

  shout(): string {
    return String(this['odd "name"\n']).toUpperCase();
  }
}

const domain = compileDomain([Country, City]);
const city = domain.of(City);
const codec = entityCodec(city);
const loader: RelationLoader = { load: async () => {}, count: async () => 0, range: async () => [] };

function bindings(model: EntityModel): RelationBinding[] {
  return model.relations.map((relation) => ({ relation, loader, touched: new Set<object>() }));
}

function row(values: Record<string, unknown>): Row {
  return city.fields.map((field) => (field.name in values ? values[field.name] : null));
}

const full = {
  id: '018f3c5e-0000-7000-8000-000000000000',
  founded: 1_000,
  facts: { list: [1, { deep: true }] },
  'place.name': 'centre',
  'place.at.x': 1.5,
  'place.at.y': 2.5,
  'country.code': 'UA',
  'country.era': 3,
  'odd "name"\n': 'lviv',
};

describe('from a row', () => {
  it('makes an instance of the class, without calling a constructor that wants something', () => {
    const made = codec.make(row(full), bindings(city)) as City;
    expect(made).toBeInstanceOf(City);
    expect(City.constructed).toBe(0);
    expect(made.shout()).toBe('LVIV');
    expect(made.founded).toEqual(new Date(1_000));
    expect(made.place).toBeInstanceOf(Place);
    expect(made.place?.at).toBeInstanceOf(Point);
    expect(made.place?.at.y).toBe(2.5);
  });

  it('makes fresh objects of everything mutable, so that the row is a snapshot', () => {
    const stored = row(full);
    const made = codec.make(stored, bindings(city)) as City;
    (made.facts as typeof full.facts).list.push(2);
    made.founded?.setTime(0);
    expect(stored).toEqual(row(full));
    expect(full.facts.list).toHaveLength(2);
    expect(codec.diff(made, stored, () => null)).toBeDefined();
  });

  it('makes nothing of a nullable embedded object whose leaves are all absent', () => {
    const made = codec.make(row({ id: full.id }), bindings(city)) as City;
    expect(made.place).toBeNull();
    expect(made.country.key).toBeNull();
    expect(made.country.isLoaded).toBe(true);
  });

  it('knows a composite key of a reference', () => {
    const made = codec.make(row(full), bindings(city)) as City;
    expect(made.country.key).toEqual({ code: 'UA', era: 3 });
    expect(made.country.isLoaded).toBe(false);
  });

  it('constructs a class whose constructor wants nothing, and gives it its own containers', () => {
    const model = domain.of(Country);
    const made = entityCodec(model).make(['UA', 3], bindings(model)) as Country;
    expect(made.cities).toBeInstanceOf(Collection);
    expect(made.cities.isLoaded).toBe(false);
  });
});

describe('to a row', () => {
  it('gives back what it came from', () => {
    const made = codec.make(row(full), bindings(city));
    expect(codec.dehydrate(made, () => null)).toEqual(row(full));
    expect(codec.diff(made, row(full), () => null)).toBeUndefined();
  });

  it('takes an embedded object that is absent for absent leaves', () => {
    const made = codec.make(row(full), bindings(city)) as City;
    made.place = null;
    const diff = codec.diff(made, row(full), () => null) ?? [];
    const changed = city.fields.filter((field) => diff[field.index] !== undefined).map((field) => field.name);
    expect(changed).toEqual(['place.name', 'place.at.x', 'place.at.y']);
  });

  it('asks for the key of an entity that a reference was set to', () => {
    const made = codec.make(row(full), bindings(city)) as City;
    const country = Object.assign(new Country(), { code: 'PL', era: 1 });
    made.country.set(country);
    const diff = codec.diff(made, row(full), (target) => (target === country ? ['PL', 3] : null)) ?? [];
    const changed = city.fields.filter((field) => diff[field.index] !== undefined);
    expect(changed.map((field) => [field.name, diff[field.index]])).toEqual([['country.code', 'PL']]);
  });
});

describe('a refresh', () => {
  it('keeps the entity that a reference has loaded, if it is still the same', () => {
    const made = codec.make(row(full), bindings(city)) as City;
    const country = new Country();
    refState.resolve(made.country, country);
    codec.fill(made, row({ ...full, founded: null }), bindings(city));
    expect(made.founded).toBeNull();
    expect(made.country.get()).toBe(country);
    codec.fill(made, row({ ...full, 'country.era': 4 }), bindings(city));
    expect(made.country.isLoaded).toBe(false);
  });
});

describe('keys', () => {
  it('of several parts are never confused', () => {
    const { keys } = entityCodec(domain.of(Country));
    const known = new Set([
      keys.ofRow(['a', 1]),
      keys.ofRow(['a1', 1]),
      keys.ofRow(['1:a', 1]),
      keys.ofRow(['a', 11]),
      keys.ofRow(['', 1]),
    ]);
    expect(known.size).toBe(5);
    expect(keys.ofValues(['a', 1])).toBe(keys.ofRow(['a', 1]));
    expect(keys.ofRow(['a', null])).toBeUndefined();
  });

  it('of one part are the value itself', () => {
    expect(codec.keys.ofRow(row(full))).toBe(full.id);
  });
});
