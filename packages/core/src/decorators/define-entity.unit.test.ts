import { describe, expect, it } from 'vitest';
import { compileDomain, defineEmbedded, defineEntity, p } from '../index.js';

class Address extends defineEmbedded({ zip: p.string(), lines: p.string({ array: true }) }) {
  get first(): string | undefined {
    return this.lines[0];
  }
}

class Person extends defineEntity({
  name: 'Person',
  model: 'relational',
  table: 'people',
  props: {
    id: p.id(),
    email: p.string({ unique: true }),
    age: p.integer({ nullable: true }),
    role: p.enum(['user', 'admin'], { default: 'user' }),
    balance: p.decimal({ precision: 10, scale: 2 }),
    settings: p.json<{ theme: string }>(),
    home: p.embedded(Address),
    version: p.version(),
    createdAt: p.createdAt(),
    updatedAt: p.updatedAt(),
    deletedAt: p.softDelete(),
    friends: () => p.related(Person, 'FRIENDS_WITH', { direction: 'both' }),
    pets: () => p.oneToMany(Pet, (pet) => pet.owner),
    visits: () => p.series(Visit, (visit) => visit.personId),
  },
  indexes: [{ on: ['email', 'age'], unique: true }],
  sharded: { by: 'id' },
  hooks: { beforeInsert: 'normalize', afterLoad: ['normalize'] },
}) {
  normalize(): void {
    this.email = this.email.toLowerCase();
  }
}

class Pet extends defineEntity({
  name: 'Pet',
  model: 'document',
  props: {
    id: p.id('integer', { generated: 'sequence' }),
    name: p.string(),
    owner: () => p.manyToOne(Person),
    playmates: () => p.manyToMany(Pet),
    vet: () => p.oneToOne(Person, { nullable: true }),
  },
}) {}

class Visit extends defineEntity({
  name: 'Visit',
  model: 'timeseries',
  retention: '1d',
  props: { at: p.time({ precision: 'us' }), personId: p.tag('uuid'), seconds: p.field() },
}) {}

class Knows extends defineEntity({
  name: 'Knows',
  model: 'graph',
  type: 'KNOWS',
  props: { from: () => p.from(Person), to: () => p.to(Person), since: p.date() },
}) {}

class City extends defineEntity({ name: 'City', model: 'graph', props: { id: p.id('string') } }) {}

const domain = compileDomain([Person, Pet, Visit, Knows, City]);

describe('a defined entity', () => {
  it('is an entity like any other', () => {
    const person = domain.of(Person);
    expect(person).toMatchObject({ name: 'Person', target: Person, kind: 'relational', source: 'people' });
    expect(person.fields.map((field) => `${field.name}:${field.type}${field.nullable ? '?' : ''}`)).toEqual([
      'id:uuid',
      'email:string',
      'age:integer?',
      'role:enum',
      'balance:decimal',
      'settings:json',
      'home.zip:string',
      'home.lines:string',
      'version:integer',
      'createdAt:timestamp',
      'updatedAt:timestamp',
      'deletedAt:timestamp?',
    ]);
    expect(person.indexes.map((index) => index.name)).toEqual(['people_email_age_key', 'people_email_key']);
    expect(Object.fromEntries(person.hooks)).toEqual({ beforeInsert: ['normalize'], afterLoad: ['normalize'] });
    expect(person.annotations.get('sharded')).toEqual({ strategy: 'hash', by: 'id' });
    expect(person.softDelete?.name).toBe('deletedAt');
    expect(person.embeddeds[0]?.target).toBe(Address);
  });

  it('has relations, to itself and to others', () => {
    expect(domain.of(Person).relations.map((r) => `${r.name} ${r.kind} ${r.target.name} ${r.join.via}`)).toEqual([
      'friends related Person link',
      'pets one-to-many Pet target',
      'visits series Visit target',
    ]);
    expect(domain.of(Pet).relations.map((r) => `${r.name} ${r.kind} ${r.target.name} ${r.join.via}`)).toEqual([
      'owner many-to-one Person owner',
      'playmates many-to-many Pet link',
      'vet one-to-one Person owner',
    ]);
    expect(domain.of(Pet).fieldsByName.get('vet')).toMatchObject({ unique: true, nullable: true, column: 'vet_id' });
  });

  it('is of the kind that its model and type say', () => {
    expect([Person, Pet, Visit, Knows, City].map((c) => domain.of(c).kind)).toEqual([
      'relational',
      'document',
      'measurement',
      'relationship',
      'node',
    ]);
    expect(domain.of(Knows).endpoints?.to.entity).toBe(domain.of(Person));
    expect(domain.of(Visit).timestamp?.timePrecision).toBe('us');
    expect(domain.of(Visit).annotations.get('retention')).toBe('1d');
  });

  it('leaves no own properties behind in a new instance', () => {
    expect(Object.keys(new Person())).toEqual([]);
    expect(Person.name).toBe('Person');
  });
});
