/** The mistakes that relations, measurements and relationships can have, with the words that report them. */
import { describe, expect, it } from 'vitest';
import {
  type Collection,
  Document,
  Field,
  From,
  Id,
  ManyToMany,
  ManyToOne,
  Measurement,
  OneToMany,
  Property,
  type Ref,
  Related,
  Relational,
  Relationship,
  Tag,
  type TimeSeries,
  Timestamp,
  To,
} from '../index.js';
import { js, mistakes, User } from './mistakes.fixture.js';

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
