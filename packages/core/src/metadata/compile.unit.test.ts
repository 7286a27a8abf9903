/** What decorated classes become. One domain for all: a small blog with profiles, friendships and logins. */
import { describe, expect, it } from 'vitest';
import {
  BeforeInsert,
  type Collection,
  CreatedAt,
  compileDomain,
  type Defaults,
  Document,
  Embedded,
  type EntityModel,
  Field,
  From,
  Id,
  Index,
  ManyToMany,
  ManyToOne,
  Measurement,
  Node,
  OneToMany,
  OneToOne,
  optional,
  Property,
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

class Position {
  @Property('float') lat!: number;
  @Property('float') lon!: number;
}

class Address {
  @Property('string', { length: 10 }) zip!: string;
  @Property('string', { nullable: true }) cityName!: string | null;
  @Embedded(() => Position, { nullable: true }) at!: Position | null;
}

abstract class Base {
  @Id() id!: string;
  @Version() version!: number;
  @CreatedAt() createdAt!: Date;
  @SoftDelete() deletedAt!: Date | null;
  @BeforeInsert() prepare(): void {}
}

@Relational({ namespace: 'app' })
@Index(['email', 'home.zip'], { where: 'deleted_at is null' })
@Unique(['username'])
@Sharded({ by: 'id' })
class User extends Base {
  declare readonly [optional]: Defaults<'role'>;
  @Property('string', { unique: true }) email!: string;
  @Property('string') username!: string;
  @Property('enum', { values: ['user', 'admin'], default: 'user' }) role!: 'user' | 'admin';
  @Property('text', { array: true }) nickNames!: string[];
  @Embedded(() => Address) home!: Address;
  @Embedded(() => Address, { nullable: true, prefix: 'w_' }) work!: Address | null;
  @Embedded(() => Address, { array: true }) others!: Address[];
  @OneToOne(
    () => Profile,
    (p) => p.userId,
  )
  profile!: Ref<Profile>;
  @OneToMany(
    () => Post,
    (p) => p.author,
    { orphanRemoval: true },
  )
  posts!: Collection<Post>;
  @Related(() => User, 'FRIENDS_WITH', { direction: 'both' }) friends!: Collection<User>;
  @Related(() => Airport, 'VISITED') visited!: Collection<Airport>;
  @Series(
    () => Login,
    (m) => m.userId,
  )
  logins!: TimeSeries<Login>;
  @BeforeInsert() normalize(): void {}
}

@Document()
class Profile {
  @Id() id!: string;
  @Property('uuid') userId!: string;
  @Property('json', { nullable: true }) settings!: unknown;
}

@Relational({ table: 'articles' })
class Post extends Base {
  @ManyToOne(() => User) author!: Ref<User>;
  @ManyToOne(() => Profile, { nullable: true }) reviewer!: Ref<Profile>;
  @ManyToOne(() => Membership, { nullable: true, index: false }) membership!: Ref<Membership>;
  @ManyToMany(() => Label) labels!: Collection<Label>;
  @ManyToMany(() => Post) seeAlso!: Collection<Post>;
}

@Relational()
class Label {
  @Id('integer', { generated: 'sequence' }) id!: number;
  @ManyToMany(() => Post, { mappedBy: (p) => p.labels }) posts!: Collection<Post>;
}

@Relational()
class Membership {
  @Id('string') tenant!: string;
  @Id('integer') no!: number;
}

@Measurement({ retention: '30d' })
class Login {
  @Timestamp() at!: Date;
  @Field() duration!: number;
  @Tag('uuid') userId!: string;
}

@Node()
class Airport {
  @Id('string', { length: 3 }) iata!: string;
  @Related(() => Airport, 'FLIES_TO') destinations!: Collection<Airport>;
  @Related(() => Airport, 'FLIES_TO', { direction: 'in' }) origins!: Collection<Airport>;
}

@Relationship({ type: 'FLIES_TO' })
class Route {
  @From(() => Airport) from!: Ref<Airport>;
  @To(() => Airport) to!: Ref<Airport>;
  @Property('integer') flights!: number;
}

const domain = compileDomain([User, Profile, Post, Label, Membership, Login, Airport, Route]);
const columns = (entity: EntityModel) => entity.fields.map((field) => `${field.name}=${field.column}`);
const relation = (entity: EntityModel, name: string) => {
  const found = entity.relationsByName.get(name);
  if (found === undefined) throw new Error(`${entity.name}.${name} is missing`);
  return found;
};

describe('entities', () => {
  it('knows each by class and by name, hidden links last', () => {
    expect(domain.entities.map((entity) => entity.name)).toEqual([
      'User',
      'Profile',
      'Post',
      'Label',
      'Membership',
      'Login',
      'Airport',
      'Route',
      'User.friends',
      'User.visited',
      'Post.labels',
      'Post.seeAlso',
    ]);
    expect(domain.byName('Post')).toBe(domain.of(Post));
    expect(() => domain.of(class Stranger {})).toThrow(/Stranger is not an entity/);
  });

  it('names sources by the habits of each model', () => {
    expect(
      [User, Profile, Post, Login, Airport, Route]
        .map((c) => domain.of(c))
        .map((e) => [e.model, e.kind, e.store, e.source]),
    ).toEqual([
      ['relational', 'relational', 'relational', 'users'],
      ['document', 'document', 'document', 'profiles'],
      ['relational', 'relational', 'relational', 'articles'],
      ['timeseries', 'measurement', 'timeseries', 'login'],
      ['graph', 'node', 'graph', 'Airport'],
      ['graph', 'relationship', 'graph', 'FLIES_TO'],
    ]);
    expect(domain.of(User).namespace).toBe('app');
  });

  it('puts ids first, then base classes, then the order of declaration', () => {
    expect(columns(domain.of(User))).toEqual([
      'id=id',
      'version=version',
      'createdAt=created_at',
      'deletedAt=deleted_at',
      'email=email',
      'username=username',
      'role=role',
      'nickNames=nick_names',
      'home.zip=home_zip',
      'home.cityName=home_city_name',
      'home.at.lat=home_at_lat',
      'home.at.lon=home_at_lon',
      'work.zip=w_zip',
      'work.cityName=w_city_name',
      'work.at.lat=w_at_lat',
      'work.at.lon=w_at_lon',
      'others=others',
    ]);
    expect(columns(domain.of(Post))).toEqual([
      'id=id',
      'version=version',
      'createdAt=created_at',
      'deletedAt=deleted_at',
      'author=author_id',
      'reviewer=reviewer_id',
      'membership.tenant=membership_tenant',
      'membership.no=membership_no',
    ]);
    for (const { fields } of domain.entities) expect(fields.map((field) => field.index)).toEqual([...fields.keys()]);
  });

  it('finds the fields that mean something', () => {
    const user = domain.of(User);
    expect([user.version?.name, user.createdAt?.name, user.updatedAt, user.softDelete?.nullable]).toEqual([
      'version',
      'createdAt',
      undefined,
      true,
    ]);
    expect(user.ids.map((id) => [id.name, id.type, id.generated])).toEqual([['id', 'uuid', 'uuid']]);
    expect(domain.of(Label).ids[0]?.generated).toBe('sequence');
    expect(domain.of(Membership).ids.map((id) => id.name)).toEqual(['tenant', 'no']);
    expect(user.fieldsByName.get('role')?.default).toEqual({ kind: 'value', value: 'user' });
  });

  it('knows a point by time and tags, and a relationship by its ends', () => {
    expect(domain.of(Login).ids.map((id) => id.name)).toEqual(['at', 'userId']);
    expect(domain.of(Login).timestamp?.name).toBe('at');
    expect(domain.of(Login).annotations.get('retention')).toBe('30d');
    const route = domain.of(Route);
    expect(route.ids.map((id) => [id.name, id.column, id.type, id.length])).toEqual([
      ['from', 'from_iata', 'string', 3],
      ['to', 'to_iata', 'string', 3],
    ]);
    expect(route.endpoints?.from.entity).toBe(domain.of(Airport));
    expect(route.endpoints?.to.fields).toEqual([route.fieldsByName.get('to')]);
  });

  it('makes all leaves of a nullable embedded object nullable, and an array of them one json field', () => {
    const user = domain.of(User);
    expect(user.embeddeds.map((e) => [e.name, e.target?.name, e.nullable])).toEqual([
      ['home', 'Address', false],
      ['home.at', 'Position', true],
      ['work', 'Address', true],
      ['work.at', 'Position', true],
    ]);
    const nullable = (name: string) => user.fieldsByName.get(name)?.nullable;
    expect(['home.zip', 'home.at.lat', 'work.zip'].map(nullable)).toEqual([false, true, true]);
    const others = user.fieldsByName.get('others');
    const home = Object.assign(new Address(), {
      zip: '1',
      cityName: null,
      at: Object.assign(new Position(), { lat: 1, lon: 2 }),
    });
    const away = Object.assign(new Address(), { zip: '2', cityName: 'X', at: null });
    const row = others?.codec.toRow([home, away]);
    expect(row).toEqual([
      { zip: '1', at: { lat: 1, lon: 2 } },
      { zip: '2', cityName: 'X' },
    ]);
    const back = others?.codec.fromRow(row) as Address[];
    expect(back).toEqual([home, away]);
    expect(back[0]).toBeInstanceOf(Address);
    expect(back[0]?.at).toBeInstanceOf(Position);
  });

  it('keeps hooks in order, base class first, and annotations as they are', () => {
    expect(domain.of(User).hooks.get('beforeInsert')).toEqual(['prepare', 'normalize']);
    expect(domain.of(User).annotations.get('sharded')).toEqual({ strategy: 'hash', by: 'id' });
  });
});

describe('relations', () => {
  it('keeps the key of a reference at the owner, in the type of the target', () => {
    const author = relation(domain.of(Post), 'author');
    expect(author).toMatchObject({ kind: 'many-to-one', container: 'ref', nullable: false, onDelete: 'restrict' });
    expect(author.join).toMatchObject({ via: 'owner' });
    const key = domain.of(Post).fieldsByName.get('author');
    expect(key).toMatchObject({ role: 'reference', type: 'uuid', nullable: false, id: false, path: ['author'] });
    expect(key).not.toHaveProperty('generated');
  });

  it('makes no constraint between two stores', () => {
    expect(relation(domain.of(Post), 'reviewer').onDelete).toBeUndefined();
  });

  it('joins both sides of a relation', () => {
    const posts = relation(domain.of(User), 'posts');
    expect(posts.join).toEqual({
      via: 'target',
      fields: domain.of(User).ids,
      targetFields: [domain.of(Post).fieldsByName.get('author')],
    });
    expect(posts.inverse).toBe(relation(domain.of(Post), 'author'));
    expect(posts.inverse?.inverse).toBe(posts);
    expect(posts.orphanRemoval).toBe(true);
  });

  it('reads by a plain key property, and indexes it', () => {
    const profile = relation(domain.of(User), 'profile');
    expect(profile.join).toMatchObject({
      via: 'target',
      targetFields: [domain.of(Profile).fieldsByName.get('userId')],
    });
    expect(profile.inverse).toBeUndefined();
    expect(domain.of(Profile).indexes.map((index) => index.name)).toEqual(['profiles_user_id_idx']);
    expect(relation(domain.of(User), 'logins')).toMatchObject({ kind: 'series', container: 'series' });
  });

  it('hides a link behind a many-to-many, in the store of its owner', () => {
    const labels = relation(domain.of(Post), 'labels');
    const link = domain.byName('Post.labels');
    expect(link).toMatchObject({ kind: 'link', model: 'relational', store: 'relational', source: 'post_labels' });
    expect(columns(link as EntityModel)).toEqual(['owner=post_id', 'target=label_id']);
    expect(link?.ids).toEqual(link?.fields);
    expect(link?.relations.map((r) => [r.name, r.target.name, r.onDelete])).toEqual([
      ['owner', 'Post', 'cascade'],
      ['target', 'Label', 'cascade'],
    ]);
    expect(link?.indexes.map((index) => index.name)).toEqual(['post_labels_label_id_idx']);
    const posts = relation(domain.of(Label), 'posts');
    expect(posts.inverse).toBe(labels);
    expect(posts.join).toMatchObject({
      via: 'link',
      link,
      ownerFields: [link?.fields[1]],
      targetFields: [link?.fields[0]],
    });
    expect(columns(domain.byName('Post.seeAlso') as EntityModel)).toEqual(['owner=source_id', 'target=target_id']);
  });

  it('hides a link behind a related relation, in the graph store', () => {
    const friends = relation(domain.of(User), 'friends');
    expect(friends.join).toMatchObject({
      via: 'link',
      direction: 'both',
      link: { kind: 'link', model: 'graph', store: 'graph', source: 'FRIENDS_WITH' },
    });
    expect(domain.byName('User.visited')?.endpoints).toMatchObject({
      from: { entity: { name: 'User' } },
      to: { entity: { name: 'Airport' } },
    });
  });

  it('uses a relationship class of that type where there is one', () => {
    const route = domain.of(Route);
    const out = relation(domain.of(Airport), 'destinations').join;
    const back = relation(domain.of(Airport), 'origins').join;
    expect(out).toMatchObject({
      link: route,
      ownerFields: [route.ids[0]],
      targetFields: [route.ids[1]],
      direction: 'out',
    });
    expect(back).toMatchObject({
      link: route,
      ownerFields: [route.ids[1]],
      targetFields: [route.ids[0]],
      direction: 'in',
    });
  });
});

describe('indexes', () => {
  it('has declared, unique and reference indexes, each once', () => {
    expect(domain.of(User).indexes.map(({ name, unique, where }) => [name, unique, where])).toEqual([
      ['users_username_key', true, undefined],
      ['users_email_home_zip_where_idx', false, 'deleted_at is null'],
      ['users_email_key', true, undefined],
    ]);
    expect(domain.of(Post).indexes.map((index) => index.name)).toEqual([
      'articles_author_id_idx',
      'articles_reviewer_id_idx',
    ]);
  });
});

describe('freezing', () => {
  it('lets nobody change anything, at any depth', () => {
    const seen = new Set<unknown>();
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null || seen.has(value)) return;
      seen.add(value);
      expect(Object.isFrozen(value), path).toBe(true);
      const children = value instanceof Map ? [...value] : Object.entries(value);
      for (const [key, child] of children) visit(child, `${path}.${String(key)}`);
    };
    visit(domain, 'domain');
    expect(seen.size).toBeGreaterThan(200);
    const fields = domain.of(User).fieldsByName as Map<string, unknown>;
    expect(() => fields.set('x', 1)).toThrow(/frozen/);
    expect(() => fields.delete('id')).toThrow(/frozen/);
    expect(() => fields.clear()).toThrow(/frozen/);
    expect(fields.has('id')).toBe(true);
  });

  it('leaves the objects of the user alone', () => {
    const values = ['a', 'b'];
    @Relational()
    class Thing {
      @Id() id!: string;
      @Property('enum', { values }) kind!: string;
    }
    compileDomain([Thing]);
    expect(Object.isFrozen(values)).toBe(false);
    expect(Object.isFrozen(Thing)).toBe(false);
  });

  it('compiles the same classes again', () => {
    expect(compileDomain([User, Profile, Post, Label, Membership, Login, Airport, Route]).entities).toHaveLength(12);
  });
});
