/**
 * Every mistake that the metadata can have, with the words that report it. Mistakes that the type checker sees as well
 * are made here through `js`, as a JavaScript user would make them.
 */
import { describe, expect, it } from 'vitest';
import {
  compileDomain,
  Document,
  defineEntity,
  Embedded,
  Id,
  Index,
  ManyToOne,
  MetadataError,
  Node,
  Property,
  p,
  type Ref,
  Relational,
} from '../index.js';
import { js, mistakes, User } from './mistakes.fixture.js';

describe('the classes given', () => {
  it('must exist, be classes and have a model', () => {
    class Plain {}
    class Sub extends User {}
    expect(mistakes(undefined, 'User', Plain, Sub)).toEqual([
      expect.stringMatching(/^entities\[0\]: is undefined: its module is part of a circular import/),
      expect.stringMatching(/^entities\[1\]: is not a class but a string/),
      expect.stringMatching(/^Plain: has no model decorator\. Add @Relational\(\)/),
      expect.stringMatching(/^Sub: has no model decorator of its own \(a base class has one/),
    ]);
  });

  it('have one model each, and one name', () => {
    @Relational()
    @Document({ store: 'other' })
    class Two {
      @Id() id!: string;
    }
    const Other = (() => {
      @Relational({ table: 'other_users' })
      class User {
        @Id() id!: string;
      }
      return User;
    })();
    expect(mistakes(Two, User, Other)).toEqual([
      expect.stringMatching(
        /^Two: has 2 models: @Document in store 'other' and @Relational\. A class lives in one store/,
      ),
      expect.stringMatching(/^User: two entities are called 'User'/),
    ]);
  });

  it('may be given twice', () => expect(mistakes(User, User)).toEqual([]));
});

describe('identity', () => {
  it('is there', () => {
    @Node()
    class City {
      @Property('string') name!: string;
    }
    expect(mistakes(City)).toEqual([
      'City: has no id. Add @Id() id!: string for a generated UUID, or mark the natural key with @Id.',
    ]);
  });

  it('is of a type that can be one, never null, and a sequence is a whole number alone', () => {
    @Relational()
    class A {
      @Id('float') id!: number;
    }
    @Relational()
    class B {
      @js.Id('string', { nullable: true }) id!: string;
    }
    @Relational()
    class C {
      @js.Id('string', { generated: 'sequence' }) id!: string;
    }
    @Relational()
    class D {
      @js.Id('integer', { generated: 'sequence' }) no!: number;
      @Id('string') tenant!: string;
    }
    expect(mistakes(A, B, C, D)).toEqual([
      'A.id: a float cannot be an id. Use uuid, string, integer or bigint.',
      'B.id: an id cannot be null.',
      expect.stringMatching(/^C\.id: a sequence makes whole numbers, and this id is a string/),
      expect.stringMatching(/^D\.no: a sequence cannot be part of a composite id/),
    ]);
  });
});

describe('properties', () => {
  it('have a known type and options that go with it', () => {
    @Relational()
    class Thing {
      @Id() id!: string;
      @js.Property('strng') a!: string;
      @js.Property() b!: string;
      @Property('enum') c!: string;
      @Property('integer', { length: 3 }) d!: number;
      @Property('string', { values: ['x'] }) e!: 'x';
      @Property('decimal', { precision: 2, scale: 3 }) f!: string;
      @js.Property('integer', { default: 'one' }) g!: number;
      @js.Property('json', { array: true }) h!: unknown;
      @js.Property('timestamp', { precision: 3 }) i!: Date;
    }
    expect(mistakes(Thing)).toEqual([
      expect.stringMatching(/^Thing\.a: 'strng' is no type\. Use one of string, text/),
      expect.stringMatching(
        /^Thing\.b: @Property\(\) needs a type, like @Property\('string'\); without emitDecoratorMetadata/,
      ),
      "Thing.c: an enum needs its values: @Property('enum', { values: ['a', 'b'] }).",
      "Thing.d: length is the greatest number of characters of a 'string', at least 1.",
      'Thing.e: values are for an enum, and this is a string.',
      expect.stringMatching(/^Thing\.f: scale is the number of digits/),
      expect.stringMatching(
        /^Thing\.g: the default does not fit: Thing\.g is integer and takes a whole number.*was given "one"/,
      ),
      'Thing.h: json holds arrays by itself; take { array: true } away.',
      "Thing.i: the precision of a timestamp is 'ms', 'us' or 'ns'.",
    ]);
  });

  it('are not called like the words of a filter, not declared twice, not static, private or symbols', () => {
    const secret = Symbol('secret');
    @Relational()
    class Thing {
      @Id() id!: string;
      @Property('string') or!: string;
      @Property('string') @Property('text') twice!: string;
      @Property('string') static shared: string;
      @Property('string') #own!: string;
      @Property('string') [secret]!: string;
      reveal = () => this.#own;
    }
    expect(mistakes(Thing).toSorted()).toEqual([
      expect.stringMatching(/^Thing\.#own: @Property cannot stand on a member that is private with #/),
      expect.stringMatching(/^Thing\.Symbol\(secret\): @Property cannot stand on a member that is named by a symbol/),
      expect.stringMatching(/^Thing\.or: 'or' is a word of the filter language/),
      expect.stringMatching(/^Thing\.shared: @Property cannot stand on a member that is static/),
      expect.stringMatching(/^Thing\.twice: is declared twice, by @Property and @Property/),
    ]);
  });

  it('that the framework keeps are of the type it keeps, once', () => {
    @Relational()
    class Thing {
      @Id() id!: string;
      @js.Version({ type: 'string' }) version!: string;
      @js.Version() version2!: number;
      @js.CreatedAt({ array: true }) createdAt!: Date;
      @js.SoftDelete({ precision: 'us' }) deletedAt!: Date | null;
    }
    expect(mistakes(Thing)).toEqual([
      'Thing.version: a version counts updates: it must be an integer or bigint that is never null, and this is a string.',
      "Thing.version2: is a second @Version; 'version' is one already. Keep one of them.",
      expect.stringMatching(/^Thing\.createdAt: @CreatedAt must be a timestamp/),
      expect.stringMatching(/^Thing\.deletedAt: @SoftDelete must be a nullable timestamp/),
    ]);
  });

  it('keep out of each other’s columns', () => {
    class Address {
      @Property('string') zip!: string;
    }
    @Relational()
    class Thing {
      @Id() id!: string;
      @Property('string') userName!: string;
      @Property('string', { column: 'user_name' }) other!: string;
      @Embedded(() => Address) home!: Address;
      @Property('string') home_zip!: string;
    }
    expect(mistakes(Thing)).toEqual([
      expect.stringMatching(/^Thing\.other: is kept in column 'user_name', and so is 'userName'/),
      expect.stringMatching(/^Thing\.home_zip: is kept in column 'home_zip', and so is 'home\.zip'/),
    ]);
  });
});

describe('embedded objects', () => {
  it('are of a class with properties, without ids and relations, and end somewhere', () => {
    class Nothing {}
    class Tree {
      @Property('string') name!: string;
      @Embedded(() => Tree, { nullable: true }) left!: Tree | null;
    }
    class WithId {
      @Id() id!: string;
      @ManyToOne(() => User) user!: Ref<User>;
      @Property('string') ok!: string;
    }
    @Relational()
    class Thing {
      @Id() id!: string;
      @js.Embedded(() => undefined) a!: unknown;
      @Embedded(() => Nothing) b!: Nothing;
      @Embedded(() => Tree) c!: Tree;
      @Embedded(() => WithId) d!: WithId;
    }
    expect(mistakes(Thing, User)).toEqual([
      expect.stringMatching(/^Thing\.a: embeds a class that is undefined: its module is part of a circular import/),
      expect.stringMatching(/^Thing\.b: embeds Nothing, which has no properties/),
      expect.stringMatching(/^Thing\.c\.left: embeds _?Tree inside Thing > _?Tree > _?Tree, which never ends/),
      expect.stringMatching(/^Thing\.d\.id: @Id cannot stand in an embedded class \(WithId\)/),
      expect.stringMatching(/^Thing\.d\.user: @ManyToOne cannot stand in an embedded class/),
    ]);
  });
});

describe('class decorators', () => {
  it('name properties of the class', () => {
    @Relational()
    @js.Index(['nme'])
    @js.Unique([])
    @js.Sharded({ by: 'tenant' })
    class Thing {
      @Id() id!: string;
      @Property('string') name!: string;
    }
    expect(mistakes(Thing)).toEqual([
      'Thing: @Unique names no property.',
      "Thing: @Index(['nme']) names 'nme', which is no property of Thing. Did you mean 'name'?",
      "Thing: @Sharded names 'tenant', which is no property of Thing. It has id, name.",
    ]);
  });

  it('keep names apart within a store, and short', () => {
    @Relational({ table: 'users' })
    @Index(['name'], { name: 'same' })
    @Index(['id'], { name: 'same' })
    class Person {
      @Id() id!: string;
      @Property('string') name!: string;
    }
    @Relational({ table: 'x'.repeat(64) })
    class Long {
      @Id() id!: string;
    }
    @Document({ collection: 'users' })
    class Elsewhere {
      @Id() id!: string;
    }
    expect(mistakes(User, Person, Long, Elsewhere)).toEqual([
      "Person: is kept as 'users' in store 'relational', and so is User. Give one of them another name.",
      "Person: has an index 'same', and another of that name. Name one of them with { name }.",
      expect.stringMatching(/^Long: 'x{64}' is longer than the 63 bytes/),
    ]);
  });
});

describe('defineEntity', () => {
  it('reports its mistakes in the same way', () => {
    class Person extends defineEntity({
      name: 'Person',
      model: 'relational',
      props: {
        id: p.id(),
        name: p.string(),
        friend: () => 'User',
        nick: 'string',
        boss: () => p.manyToOne(undefined as never),
        late: (() => {
          throw new ReferenceError("Cannot access 'Late' before initialization");
        }) as never,
      },
      indexes: [{ on: ['nme' as 'name'] }],
      hooks: { beforeInsert: 'normalise' },
    }) {}
    expect(mistakes(Person)).toEqual([
      expect.stringMatching(/^Person\.friend: is a function that gives no property/),
      expect.stringMatching(/^Person\.late: cannot be read: Cannot access 'Late'/),
      'Person.nick: is no property. Give it a builder, like p.string().',
      expect.stringMatching(/^Person\.boss: the target of @manyToOne is undefined/),
      expect.stringMatching(/^Person\.normalise: is called beforeInsert, but the class has no such method/),
      expect.stringMatching(/^Person: @indexes\(\['nme'\]\) names 'nme'.*Did you mean 'name'/),
    ]);
  });
});

describe('the error', () => {
  it('says how many mistakes there are, and lists each', () => {
    @Node()
    class A {
      @Property('enum') x!: string;
    }
    const attempt = () => compileDomain([A]);
    expect(attempt).toThrow(MetadataError);
    expect(attempt).toThrow(/^2 mistakes in the entity classes:\n {2}- A\.x: an enum needs .*\n {2}- A: has no id/);
  });

  it('is thrown by no decorator', () => {
    expect(() => {
      class Broken {
        @js.Property({}, 7) a!: string;
        @js.ManyToOne(null) b!: unknown;
        @js.OneToOne(undefined, 3) c!: unknown;
      }
      js.Index(['x'])(Broken, undefined);
    }).not.toThrow();
  });
});
