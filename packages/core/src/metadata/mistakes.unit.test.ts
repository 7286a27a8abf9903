/**
 * Every mistake that the metadata can have, with the words that report it. Mistakes that the type checker sees as well
 * are made here through `js`, as a JavaScript user would make them.
 */
import { describe, expect, it } from 'vitest';
import {
  type Collection,
  CreatedAt,
  compileDomain,
  Document,
  defineEntity,
  Embedded,
  type EntityClass,
  Field,
  From,
  Id,
  Index,
  ManyToMany,
  ManyToOne,
  Measurement,
  MetadataError,
  Node,
  OneToMany,
  OneToOne,
  Property,
  p,
  type Ref,
  Related,
  Relational,
  Relationship,
  Series,
  Sharded,
  SoftDelete,
  Tag,
  type TimeSeries,
  Timestamp,
  To,
  Unique,
  Version,
} from '../index.js';

type Loose = (...args: unknown[]) => (target: unknown, at: unknown) => void;

/** The decorators without their types. */
const js = {
  CreatedAt,
  Embedded,
  Id,
  Index,
  ManyToOne,
  OneToMany,
  OneToOne,
  Property,
  Series,
  Sharded,
  SoftDelete,
  Tag,
  Unique,
  Version,
} as unknown as Record<
  | 'CreatedAt'
  | 'Embedded'
  | 'Id'
  | 'Index'
  | 'ManyToOne'
  | 'OneToMany'
  | 'OneToOne'
  | 'Property'
  | 'Series'
  | 'Sharded'
  | 'SoftDelete'
  | 'Tag'
  | 'Unique'
  | 'Version',
  Loose
>;

/** `Class.property: message` of each problem. */
function mistakes(...entities: unknown[]): string[] {
  try {
    compileDomain(entities as EntityClass[]);
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    return error.problems.map((m) => `${m.entity}${m.property === undefined ? '' : `.${m.property}`}: ${m.message}`);
  }
  return [];
}

@Relational()
class User {
  @Id() id!: string;
  @Property('string') name!: string;
}

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

describe('relations', () => {
  it('lead to a class that is there and among the entities', () => {
    @Relational()
    class Stranger {
      @Id() id!: string;
    }
    @Relational()
    class Thing {
      @Id() id!: string;
      @js.ManyToOne(() => undefined) a!: unknown;
      @js.ManyToOne(() => 'User') b!: unknown;
      @ManyToOne(() => Stranger) c!: Ref<Stranger>;
      @js.ManyToOne(() => {
        throw new ReferenceError("Cannot access 'Later' before initialization");
      })
      d!: unknown;
    }
    expect(mistakes(Thing)).toEqual([
      expect.stringMatching(
        /^Thing\.a: the target of @ManyToOne is undefined: its module is part of a circular import/,
      ),
      expect.stringMatching(/^Thing\.b: the target of @ManyToOne is "User", not a class/),
      'Thing.c: leads to Stranger, which is not among the entities given to open(). Add Stranger to entities.',
      expect.stringMatching(/^Thing\.d: the target cannot be read: Cannot access 'Later' before initialization/),
    ]);
  });

  it('find the other side', () => {
    @Relational()
    class Post {
      @Id() id!: string;
      @ManyToOne(() => Tenant) tenant!: Ref<Tenant>;
      @Property('integer') count!: number;
      @Property('string') tenantId!: string;
      @ManyToMany(() => Tenant) tenants!: Collection<Tenant>;
    }
    @Relational()
    class Tenant {
      @Id('string') name!: string;
      @Id('integer') no!: number;
      @OneToMany(
        () => Post,
        (x) => x.tenantId,
      )
      byOne!: Collection<Post>;
    }
    @Relational()
    class Author {
      @Id() id!: string;
      @js.OneToMany(
        () => Post,
        (x: { autor: unknown }) => x.autor,
      )
      misspelt!: Collection<Post>;
      @OneToMany(
        () => Post,
        (x) => x.tenant,
      )
      foreign!: Collection<Post>;
      @OneToMany(
        () => Post,
        (x) => x.count,
      )
      number!: Collection<Post>;
      @js.OneToMany(
        () => Post,
        () => 'author',
      )
      text!: Collection<Post>;
      @js.OneToMany(() => Post) none!: Collection<Post>;
      @js.Series(
        () => Post,
        (x: Post) => x.tenantId,
      )
      series!: TimeSeries<Post>;
      @ManyToMany(() => Post, { mappedBy: 'authors' }) posts!: Collection<Post>;
      @ManyToMany(() => Post, { mappedBy: (x) => x.tenants }) posts2!: Collection<Post>;
    }
    expect(mistakes(Post, Tenant, Author)).toEqual([
      expect.stringMatching(
        /^Tenant\.byOne: selects Post\.tenantId, one property, but the id of Tenant is composite \(name, no\)/,
      ),
      expect.stringMatching(/^Author\.misspelt: selects 'autor', which is no property of Post/),
      expect.stringMatching(/^Author\.foreign: selects Post\.tenant, which refers to Tenant and not to Author/),
      expect.stringMatching(
        /^Author\.number: selects Post\.count of type integer, but the id of Author is of type uuid/,
      ),
      expect.stringMatching(
        /^Author\.text: needs a selector of the property of Post that leads back: @OneToMany\(\(\) => Post, x => x\.author\)/,
      ),
      expect.stringMatching(/^Author\.none: needs a selector/),
      expect.stringMatching(/^Author\.series: Post is no measurement/),
      expect.stringMatching(/^Author\.posts: mappedBy names 'authors', which is no @ManyToMany of Post/),
      expect.stringMatching(/^Author\.posts2: mappedBy names Post\.tenants, which leads to Tenant and not to Author/),
    ]);
  });

  it('ask of a store what a store can do', () => {
    @Document()
    class Note {
      @Id() id!: string;
      @ManyToOne(() => User, { onDelete: 'cascade' }) user!: Ref<User>;
      @ManyToOne(() => Note, { onDelete: 'set null' }) parent!: Ref<Note>;
      @Related(() => User, 'LIKES', { direction: 'both' }) likes!: Collection<User>;
      @Related(() => Note, 'LIKES') liked!: Collection<Note>;
    }
    expect(mistakes(Note, User)).toEqual([
      expect.stringMatching(
        /^Note\.user: onDelete is kept by a store, but Note lives in 'document' and User in 'relational'/,
      ),
      "Note.parent: onDelete 'set null' needs { nullable: true }.",
      expect.stringMatching(/^Note\.likes: direction 'both' is for a class related to itself/),
      expect.stringMatching(/^Note\.liked: the relationship type 'LIKES' already leads from Note to User/),
    ]);
  });
});

describe('measurements', () => {
  it('have a time, something measured and tags that can name a series', () => {
    @Measurement({ retention: 'a while' })
    class Metric {
      @js.Tag('float') price!: number;
      @js.Tag('string', { nullable: true }) host!: string;
      @js.Id() id!: string;
      @js.Property('string') note!: string;
    }
    expect(mistakes(Metric)).toEqual([
      expect.stringMatching(/^Metric\.price: a tag cannot be a float/),
      expect.stringMatching(/^Metric\.host: a tag is part of the identity/),
      expect.stringMatching(/^Metric\.id: @Id cannot stand in a measurement/),
      expect.stringMatching(/^Metric\.note: @Property cannot stand in a measurement/),
      'Metric: is a measurement without a time. Add @Timestamp() at!: Date.',
      'Metric: is a measurement that measures nothing. Add a @Field() value!: number.',
      expect.stringMatching(/^Metric: the retention "a while" is no length of time/),
    ]);
  });

  it('cannot be referred to or linked, and their decorators stand nowhere else', () => {
    @Measurement()
    class Metric {
      @Timestamp() at!: Date;
      @Timestamp() at2!: Date;
      @Field() value!: number;
    }
    @Relational()
    class Thing {
      @Id() id!: string;
      @ManyToOne(() => Metric) last!: Ref<Metric>;
      @ManyToMany(() => Metric) all!: Collection<Metric>;
      @Tag() host!: string;
      @Timestamp() at!: Date;
    }
    expect(mistakes(Metric, Thing)).toEqual([
      expect.stringMatching(/^Metric\.at2: is a second @Timestamp; 'at' is one already/),
      expect.stringMatching(
        /^Thing\.host: @Tag is for measurements, and Thing is a relational entity\. Use @Property\('string'\)/,
      ),
      expect.stringMatching(/^Thing\.at: @Timestamp is for measurements.*@Property\('timestamp'\)/),
      expect.stringMatching(/^Thing\.last: refers to Metric, a measurement.*Use @Series/),
      expect.stringMatching(/^Thing\.all: Metric is a measurement, and its points cannot be linked/),
    ]);
  });
});

describe('relationships', () => {
  it('have two ends, and ends stand nowhere else', () => {
    @Relationship()
    class Knows {
      @From(() => User) from!: Ref<User>;
      @From(() => User) from2!: Ref<User>;
    }
    @Relational()
    class Thing {
      @Id() id!: string;
      @To(() => User) to!: Ref<User>;
    }
    expect(mistakes(Knows, Thing, User)).toEqual([
      expect.stringMatching(/^Knows\.from2: is a second @From/),
      'Knows: is a relationship without @To. Add @To(() => Airport) to!: Ref<Airport>.',
      expect.stringMatching(/^Thing\.to: @To is for @Relationship classes, and Thing is a relational entity/),
    ]);
  });

  it('need an id of their own where their ends lead in a circle', () => {
    @Relationship()
    class Loop {
      @From(() => Loop) from!: Ref<Loop>;
      @To(() => Loop) to!: Ref<Loop>;
    }
    expect(mistakes(Loop)[0]).toMatch(
      /^Loop\.from: the identity of Loop is its endpoints, and they lead back here\. Give Loop an @Id\(\)/,
    );
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
