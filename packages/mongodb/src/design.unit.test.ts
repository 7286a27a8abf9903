/** Indexes and validators in MongoDB's words; those that a test server does not have are at least said right. */
import {
  compileDomain,
  Document,
  Embedded,
  type EntityClass,
  Id,
  Index,
  identity,
  Property,
  Unique,
} from '@storeweave/core';
import { describe, expect, it } from 'vitest';
import { designOf } from './design.js';

class Place {
  @Property('string') city!: string;
  @Property('float', { nullable: true }) height!: number | null;
}

function designed(target: EntityClass) {
  return designOf(compileDomain([target]).of(target));
}

describe('designOf', () => {
  it('knows every kind of index', () => {
    @Document()
    @Index(['title', 'body'], { type: 'text', name: 'words' })
    @Index(['at'], { type: 'ttl:30d', name: 'old' })
    @Index(['at', 'title'], { name: 'pair' })
    @Index(['data'], { type: 'wildcard', name: 'anything' })
    @Index(['title'], { unique: true, where: '{"body":{"$gt":""}}', name: 'partial' })
    @Unique(['title', 'note'], { name: 'both' })
    class Post {
      @Id() id!: string;
      @Property('string') title!: string;
      @Property('text') body!: string;
      @Property('string', { nullable: true }) note!: string | null;
      @Property('timestamp') at!: Date;
      @Property('json') data!: unknown;
    }
    const found = Object.fromEntries(designed(Post).indexes.map(({ name, key, options }) => [name, [key, options]]));
    expect(found).toEqual({
      words: [{ title: 'text', body: 'text' }, {}],
      old: [{ at: 1 }, { expireAfterSeconds: 2_592_000 }],
      pair: [{ at: 1, title: 1 }, {}],
      anything: [{ 'data.$**': 1 }, {}],
      partial: [{ title: 1 }, { unique: true, partialFilterExpression: { body: { $gt: '' } } }],
      both: [
        { title: 1, note: 1 },
        { unique: true, partialFilterExpression: { note: { $exists: true } } },
      ],
    });
  });

  it('refuses indexes that would mean something else, or nothing', () => {
    @Document()
    @Index(['title'], { type: 'gin' })
    class Wrong {
      @Id() id!: string;
      @Property('string') title!: string;
    }
    expect(() => designed(Wrong)).toThrow(/type "gin".*btree, text/);

    @Document()
    @Unique(['tags'])
    class Tagged {
      @Id() id!: string;
      @Property('string', { array: true }) tags!: string[];
    }
    expect(() => designed(Tagged)).toThrow(/each element of tags unique/);

    @Document()
    @Index(['title'], { where: 'title is not null' })
    class Sql {
      @Id() id!: string;
      @Property('string') title!: string;
    }
    expect(() => designed(Sql)).toThrow(/as JSON/);
  });

  it('describes documents as they are written', () => {
    @Document()
    class Shop {
      declare readonly [identity]: 'country' | 'number';
      @Id('string') country!: string;
      @Id('integer') number!: number;
      @Embedded(() => Place) place!: Place;
      @Embedded(() => Place, { nullable: true }) second!: Place | null;
      @Property('uuid', { array: true }) owners!: string[];
      @Property('decimal', { nullable: true }) anything!: string | null;
      @Property('enum', { values: ['open', 'closed'], nullable: true }) state!: 'open' | 'closed' | null;
    }
    const { validator, indexes } = designed(Shop);
    expect(validator.$jsonSchema).toEqual({
      bsonType: 'object',
      required: ['_id', 'owners', 'place'],
      properties: {
        _id: {
          bsonType: 'object',
          required: ['country', 'number'],
          properties: { country: { bsonType: 'string' }, number: { bsonType: 'int' } },
        },
        place: {
          bsonType: 'object',
          required: ['city'],
          properties: { city: { bsonType: 'string' }, height: { bsonType: ['double', 'int', 'long', 'null'] } },
        },
        second: {
          bsonType: ['object', 'null'],
          properties: {
            city: { bsonType: ['string', 'null'] },
            height: { bsonType: ['double', 'int', 'long', 'null'] },
          },
        },
        owners: { bsonType: 'array', items: { bsonType: 'binData' } },
        anything: { bsonType: ['decimal', 'object', 'null'] },
        state: { enum: ['open', 'closed', null] },
      },
    });
    expect(indexes).toEqual([{ name: 'id_parts', key: { '_id.country': 1, '_id.number': 1 }, options: {} }]);
  });
});
