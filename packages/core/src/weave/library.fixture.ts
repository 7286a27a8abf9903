/** A library over two memory stores, and a store that writes down every batch it is given. */
import {
  ChaosPlan,
  chaosStore,
  type MemoryDomain,
  type MemoryStoreOptions,
  memoryDomain,
  memoryStore,
} from '@storeweave/testing';
import { Embedded } from '../decorators/embedded.js';
import { Field, Tag, Timestamp } from '../decorators/measurement.js';
import { Measurement, Relational, Relationship } from '../decorators/models.js';
import { CreatedAt, SoftDelete, UpdatedAt, Version } from '../decorators/moments.js';
import { Id, Property } from '../decorators/property.js';
import { From, ManyToMany, ManyToOne, OneToMany, OneToOne, Related, Series, To } from '../decorators/relations.js';
import type { EntityClass } from '../model/entity-model.js';
import type { Collection } from '../relations/collection.js';
import type { Ref } from '../relations/ref.js';
import type { TimeSeries } from '../relations/time-series.js';
import type { Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';
import { type Defaults, optional } from '../types/brands.js';
import { type OpenOptions, Storeweave } from './storeweave.js';

export class Address {
  @Property('string') city!: string;
  @Property('string', { nullable: true }) zip!: string | null;

  get label(): string {
    return `${this.zip ?? ''} ${this.city}`.trim();
  }
}

@Relational()
export class Author {
  declare readonly [optional]: Defaults<'languages' | 'rank' | 'settings' | 'photo' | 'born'>;
  @Id() id!: string;
  @Property('string') name!: string;
  @Property('integer', { default: 7 }) rank!: number;
  @Property('string', { array: true, default: () => ['en'] }) languages!: string[];
  @Property('json', { default: { theme: 'light' } }) settings!: { theme: string; deep?: { list: number[] } };
  @Property('bytes', { nullable: true }) photo!: Uint8Array | null;
  @Property('timestamp', { nullable: true }) born!: Date | null;
  @Embedded(() => Address, { nullable: true }) home!: Address | null;
  @Version() version!: number;
  @CreatedAt() createdAt!: Date;
  @UpdatedAt() updatedAt!: Date;
  @OneToMany(
    () => Book,
    (book: Book) => book.author,
  )
  books!: Collection<Book>;
  @OneToOne(
    () => Desk,
    (desk: Desk) => desk.authorId,
  )
  desk!: Ref<Desk>;
  @ManyToOne(() => Author, { nullable: true }) mentor!: Ref<Author>;
  @Related(() => Author, 'KNOWS', { direction: 'both' }) friends!: Collection<Author>;
  @Related(() => Author, 'PRAISES') praised!: Collection<Author>;
  @Series(
    () => Reading,
    (reading: Reading) => reading.authorId,
  )
  readings!: TimeSeries<Reading>;
}

/** Its id is made by the store, its reference to the author is required. */
@Relational()
export class Book {
  @Id('integer', { generated: 'sequence' }) id!: number;
  @Property('string') title!: string;
  @Version() version!: number;
  @ManyToOne(() => Author) author!: Ref<Author>;
  @OneToMany(
    () => Chapter,
    (chapter: Chapter) => chapter.bookId,
    { cascade: ['persist', 'remove'], orphanRemoval: true },
  )
  chapters!: Collection<Chapter>;
  @ManyToMany(() => Label) labels!: Collection<Label>;
}

/** Holds the key of its book in a plain property. */
@Relational()
export class Chapter {
  @Id() id!: string;
  @Property('string') title!: string;
  @Property('integer') bookId!: number;
}

@Relational()
export class Label {
  @Id('string') name!: string;
  @SoftDelete() deletedAt!: Date | null;
  @Version() version!: number;
  @ManyToMany(() => Book, { mappedBy: (book: Book) => book.labels }) books!: Collection<Book>;
}

/** Holds the key of its author in a plain, unique, nullable property. */
@Relational()
export class Desk {
  @Id() id!: string;
  @Property('string') room!: string;
  @Property('uuid', { nullable: true, unique: true }) authorId!: string | null;
}

@Relationship({ type: 'PRAISES' })
export class Praise {
  declare readonly [optional]: Defaults<'stars'>;
  @Id() id!: string;
  @Property('integer', { default: 1 }) stars!: number;
  @From(() => Author) from!: Ref<Author>;
  @To(() => Author) to!: Ref<Author>;
}

@Measurement()
export class Reading {
  @Timestamp() at!: Date;
  @Tag('uuid') authorId!: string;
  @Field('float') pages!: number;
}

export const library: readonly EntityClass[] = [Author, Book, Chapter, Label, Desk, Praise, Reading];

/** The store as it is, with every batch and the end of every transaction written down. */
export interface Recorded {
  readonly store: Store;
  readonly batches: WriteBatch[];
  readonly events: string[];
}

export function recorded(options: MemoryStoreOptions & { readonly name?: string } = {}): Recorded {
  const domain: MemoryDomain =
    options.domain ?? memoryDomain({ ...options.capabilities, name: options.name ?? 'memory' });
  const inner = memoryStore({ ...options, domain });
  const batches: WriteBatch[] = [];
  const events: string[] = [];
  const begin = domain.begin;
  if (begin !== undefined) {
    Object.defineProperty(domain, 'begin', {
      value: async (given: Parameters<typeof begin>[0]) => {
        events.push('begin');
        const transaction = await begin(given);
        for (const name of ['commit', 'rollback', 'savepoint', 'rollbackTo', 'release'] as const) {
          const call = transaction[name]?.bind(transaction) as ((value: string) => Promise<void>) | undefined;
          if (call === undefined) continue;
          Object.defineProperty(transaction, name, {
            value: async (value: string) => {
              events.push(name);
              await call(value);
            },
          });
        }
        return transaction;
      },
    });
  }
  const write = inner.write.bind(inner);
  const read = inner.read.bind(inner);
  Object.defineProperties(inner, {
    write: {
      value: async (...[batch, access]: Parameters<typeof write>) => {
        batches.push(batch);
        events.push(`${batch.op} ${batch.entity.name}`);
        return write(batch, access);
      },
    },
    read: {
      value: async (...[spec, access]: Parameters<typeof read>) => {
        events.push(`read ${spec.entity.name}`);
        return read(spec, access);
      },
    },
  });
  return { store: inner, batches, events };
}

export interface Library extends Recorded {
  readonly weave: Storeweave;
}

/** All models of the library in one memory store. */
export async function openLibrary(options: MemoryStoreOptions = {}, open: Partial<OpenOptions> = {}): Promise<Library> {
  const one = recorded(options);
  const { store } = one;
  const weave = await Storeweave.open({
    entities: library,
    stores: { relational: store, graph: store, timeseries: store },
    ...open,
  });
  one.events.length = 0;
  return { ...one, weave };
}

/** A function that opens the library over one store that fails, waits or hangs by plan; closed after each test. */
export function chaoticLibrary(afterEach: (close: () => Promise<void>) => void) {
  const opened: Storeweave[] = [];
  afterEach(async () => {
    for (const weave of opened.splice(0)) await weave.close();
  });
  return async (plan = new ChaosPlan()) => {
    const one = recorded();
    const store = chaosStore(one.store, plan);
    const weave = await Storeweave.open({
      entities: library,
      stores: { relational: store, graph: store, timeseries: store },
    });
    opened.push(weave);
    one.events.length = 0;
    return { weave, plan, ...one };
  };
}

/** What of the authors is stored: their names, in order. */
export async function names(weave: Storeweave): Promise<string[]> {
  return (await weave.repository(Author).find({ orderBy: { name: 'asc' } })).map(({ name }) => name);
}
