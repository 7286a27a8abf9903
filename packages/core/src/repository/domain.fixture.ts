/**
 * The domain of the unit tests of this room: a small publishing house over all four models. Relational authors and posts,
 * profiles as documents, friendships and recommendations in the graph, reads of posts as measurements.
 */
import { Embedded } from '../decorators/embedded.js';
import { Unique } from '../decorators/indexes.js';
import { Field, Tag, Timestamp } from '../decorators/measurement.js';
import { Document, Measurement, Relational, Relationship } from '../decorators/models.js';
import { CreatedAt, SoftDelete, UpdatedAt, Version } from '../decorators/moments.js';
import { Id, Property } from '../decorators/property.js';
import { From, ManyToMany, ManyToOne, OneToMany, OneToOne, Related, Series, To } from '../decorators/relations.js';
import type { Collection } from '../relations/collection.js';
import type { Ref } from '../relations/ref.js';
import type { TimeSeries } from '../relations/time-series.js';
import type { Defaults, identity, optional } from '../types/brands.js';

export class Address {
  @Property('string', { nullable: true }) city!: string | null;
  @Property('string', { nullable: true }) zip!: string | null;
}

@Relational()
export class Author {
  declare readonly [optional]: Defaults<'followers' | 'active' | 'languages'>;
  @Id('integer') id!: number;
  @Property('string', { unique: true }) name!: string;
  @Property('integer', { nullable: true }) age!: number | null;
  @Property('float', { nullable: true }) rating!: number | null;
  @Property('bigint', { default: 0n }) followers!: bigint;
  @Property('decimal', { nullable: true, precision: 12, scale: 2 }) fee!: string | null;
  @Property('boolean', { default: true }) active!: boolean;
  @Property('timestamp', { nullable: true }) born!: Date | null;
  @Property('json', { nullable: true }) settings!: unknown;
  @Property('string', { array: true, default: [] }) languages!: string[];
  @Embedded(() => Address, { nullable: true }) home!: Address | null;
  @Version() version!: number;
  @CreatedAt() createdAt!: Date;
  @UpdatedAt() updatedAt!: Date;
  @OneToMany(
    () => Post,
    (post: Post) => post.author,
  )
  posts!: Collection<Post>;
  @OneToOne(
    () => Profile,
    (profile: Profile) => profile.authorId,
  )
  profile!: Ref<Profile>;
  @Related(() => Author, 'FRIEND', { direction: 'both' }) friends!: Collection<Author>;
  @Related(() => Post, 'RECOMMENDS') recommended!: Collection<Post>;
}

@Relational()
export class Post {
  declare readonly [optional]: Defaults<'views'>;
  @Id('integer') id!: number;
  @Property('string') title!: string;
  @Property('integer', { default: 0 }) views!: number;
  @Property('string', { nullable: true }) section!: string | null;
  @ManyToOne(() => Author, { nullable: true }) author!: Ref<Author>;
  @ManyToMany(() => Label) labels!: Collection<Label>;
  @Series(
    () => Read,
    (read: Read) => read.post,
  )
  reads!: TimeSeries<Read>;
  @SoftDelete() deletedAt!: Date | null;
}

@Relational()
export class Label {
  declare readonly [identity]: 'name';
  @Id('string') name!: string;
  @ManyToMany(() => Post, { mappedBy: (post: Post) => post.labels }) posts!: Collection<Post>;
}

@Document()
export class Profile {
  declare readonly [optional]: Defaults<'visits' | 'tags'>;
  @Id('integer') id!: number;
  @Property('integer', { unique: true }) authorId!: number;
  @Property('string') country!: string;
  @Property('integer', { default: 0 }) visits!: number;
  @Property('json', { nullable: true }) data!: unknown;
  @Property('string', { array: true, default: [] }) tags!: string[];
  @Version() version!: number;
}

@Relationship({ type: 'ROUTE' })
export class Route {
  @Id('integer') id!: number;
  @From(() => City) from!: Ref<City>;
  @To(() => City) to!: Ref<City>;
  @Property('float') distance!: number;
}

@Relational()
export class City {
  declare readonly [optional]: Defaults<'inhabitants'>;
  declare readonly [identity]: 'code';
  @Id('string') code!: string;
  @Property('string') name!: string;
  @Property('integer', { default: 0 }) inhabitants!: number;
  @Related(() => City, 'ROUTE') reachable!: Collection<City>;
}

@Measurement()
export class Read {
  @Timestamp() at!: Date;
  @Tag('integer') post!: number;
  @Tag('string') device!: string;
  @Field('float') seconds!: number;
}

@Measurement()
export class ReadHour {
  @Timestamp() at!: Date;
  @Tag('integer') post!: number;
  @Field('float') mean!: number;
  @Field('integer') count!: number;
}

/** A composite key, one part of it a reference. */
@Relational()
@Unique(['label', 'position'])
export class Shelf {
  declare readonly [identity]: 'room' | 'number';
  @Id('string') room!: string;
  @Id('integer') number!: number;
  @Property('string') label!: string;
  @Property('integer') position!: number;
  @OneToMany(
    () => Book,
    (book: Book) => book.shelf,
  )
  books!: Collection<Book>;
}

@Relational()
export class Book {
  @Id('integer', { generated: 'sequence' }) id!: number;
  @Property('string') title!: string;
  @ManyToOne(() => Shelf, { nullable: true }) shelf!: Ref<Shelf>;
}

export const ENTITIES = [Author, Post, Label, Profile, Route, City, Read, ReadHour, Shelf, Book];
