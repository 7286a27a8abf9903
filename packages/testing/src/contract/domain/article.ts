/**
 * The shop's article, the suite's plain entity: with a version, times, a unique property, embedded objects, json, lists,
 * defaults and hooks, and the same in every model, so that one test speaks for all.
 */
import {
  AfterDelete,
  AfterInsert,
  AfterLoad,
  AfterUpdate,
  BeforeDelete,
  BeforeInsert,
  BeforeUpdate,
  type Collection,
  CreatedAt,
  type Defaults,
  Document,
  Embedded,
  Id,
  Index,
  ManyToOne,
  Node,
  OneToMany,
  optional,
  Property,
  type Ref,
  Relational,
  SoftDelete,
  Unique,
  UpdatedAt,
  Version,
} from '@storeweave/core';

export class Size {
  @Property('float') width!: number;
  @Property('float') height!: number;

  get area(): number {
    return this.width * this.height;
  }
}

export class Parcel {
  @Property('string') material!: string;
  @Property('integer', { nullable: true }) grams!: number | null;
  @Embedded(() => Size) size!: Size;
}

export class Part {
  @Property('string') name!: string;
  @Property('integer') count!: number;
}

export abstract class Article {
  declare readonly [optional]: Defaults<'stock' | 'grade'>;
  @Id() id!: string;
  @Property('string', { unique: true }) sku!: string;
  @Property('string') name!: string;
  @Property('string', { nullable: true }) maker!: string | null;
  @Property('integer', { default: 0 }) stock!: number;
  @Property('decimal', { nullable: true, precision: 12, scale: 2 }) price!: string | null;
  @Property('enum', { values: ['plain', 'fine'], default: 'plain' }) grade!: 'plain' | 'fine';
  @Property('float', { nullable: true }) score!: number | null;
  @Property('json', { nullable: true }) details!: unknown;
  @Property('timestamp', { nullable: true }) soldOutAt!: Date | null;
  @Embedded(() => Size, { nullable: true }) size!: Size | null;
  @Embedded(() => Parcel, { nullable: true }) parcel!: Parcel | null;
  @Embedded(() => Part, { array: true, nullable: true }) parts!: Part[] | null;
  @Version() version!: number;
  @CreatedAt() createdAt!: Date;
  @UpdatedAt() updatedAt!: Date;
}

@Relational({ table: 'articles' })
@Index(['name', 'stock'])
export class RelationalArticle extends Article {}

@Document({ collection: 'article_documents' })
@Index(['name', 'stock'])
export class DocumentArticle extends Article {}

@Node({ label: 'article_nodes' })
@Index(['name', 'stock'])
export class NodeArticle extends Article {}

/** A review with a soft deletion and a unique pair. */
export abstract class Review {
  declare readonly [optional]: Defaults<'stars' | 'labels'>;
  @Id() id!: string;
  @Property('string') author!: string;
  @Property('string') subject!: string;
  @Property('integer', { default: 3 }) stars!: number;
  @Property('string', { array: true, default: () => [] }) labels!: string[];
  @Version() version!: number;
  @SoftDelete() deletedAt!: Date | null;
}

@Relational({ table: 'reviews' })
@Unique(['author', 'subject'])
export class RelationalReview extends Review {}

@Document({ collection: 'review_documents' })
@Unique(['author', 'subject'])
export class DocumentReview extends Review {}

@Node({ label: 'review_nodes' })
@Unique(['author', 'subject'])
export class NodeReview extends Review {}

/** Writes down what happens to it. */
export abstract class Diary {
  declare readonly [optional]: Defaults<'trace' | 'events'>;
  @Id() id!: string;
  @Property('string') title!: string;
  /** Set by hooks before a write, so it is stored. */
  @Property('string', { default: '' }) trace!: string;
  @Version() version!: number;
  events: string[] = [];

  @BeforeInsert() toInsert(): void {
    this.trace += 'i';
    this.note('beforeInsert');
  }
  @AfterInsert() inserted(): void {
    this.note('afterInsert');
  }
  @BeforeUpdate() toUpdate(): void {
    this.trace += 'u';
    this.note('beforeUpdate');
  }
  @AfterUpdate() updated(): void {
    this.note('afterUpdate');
  }
  @BeforeDelete() toDelete(): void {
    this.note('beforeDelete');
  }
  @AfterDelete() deleted(): void {
    this.note('afterDelete');
  }
  @AfterLoad() loaded(): void {
    this.note('afterLoad');
  }

  // A loaded instance is not constructed by the application, so the list may not be there.
  private note(event: string): void {
    this.events = [...(this.events ?? []), event];
  }
}

@Relational({ table: 'diaries' })
export class RelationalDiary extends Diary {}
@Document({ collection: 'diary_documents' })
export class DocumentDiary extends Diary {}
@Node({ label: 'diary_nodes' })
export class NodeDiary extends Diary {}

/** Remarks of a thread: a collection of what is removed softly. */
@Relational({ table: 'threads' })
export class Thread {
  @Id() id!: string;
  @Property('string') title!: string;
  @OneToMany(
    () => Remark,
    (remark) => remark.thread,
  )
  remarks!: Collection<Remark>;
}

@Relational({ table: 'remarks' })
export class Remark {
  @Id() id!: string;
  @Property('string') text!: string;
  @ManyToOne(() => Thread, { nullable: true }) thread!: Ref<Thread>;
  @SoftDelete() deletedAt!: Date | null;
}

/** One seat has one active booking, and any number of others. */
@Relational({ table: 'bookings' })
@Index(['seat'], { unique: true, where: "status = 'active'" })
export class Booking {
  @Id() id!: string;
  @Property('string') seat!: string;
  @Property('string') status!: string;
}
