/**
 * What a store's own library knows of a class whose decorators are that library's: TypeORM's entities, for one. A store
 * that has `adopt` says it in these words, and the class becomes an entity like any other, on the table that it has.
 */
import type { ValueConverter } from '../model/codec.js';
import type { EntityClass, LifecycleEvent } from '../model/entity-model.js';
import type { FieldType, TimePrecision } from '../model/field.js';

/** One class, with the names that its table has. */
export interface AdoptedEntity {
  readonly source: string;
  readonly namespace?: string;
  /** Its table has rows of other entities, too, which the store keeps apart. */
  readonly part?: boolean;
  /** In the order of the class, base classes first. */
  readonly members: readonly AdoptedMember[];
  readonly indexes: readonly AdoptedIndex[];
  readonly hooks: readonly { readonly event: LifecycleEvent; readonly method: string }[];
  /** What of the class cannot be adopted, by property: reported with all other mistakes. */
  readonly problems: readonly { readonly property?: string; readonly message: string }[];
}

/** Classes that have been adopted. */
export type AdoptedEntities = ReadonlyMap<EntityClass, AdoptedEntity>;

export type AdoptedMember = AdoptedField | AdoptedEmbedded | AdoptedRelation;

/** A property with a column of its own. */
export interface AdoptedField {
  readonly kind: 'field';
  readonly name: string;
  readonly column: string;
  readonly type: FieldType;
  readonly id?: boolean;
  /** `store`: an expression of the store's own where the application gives no value. */
  readonly generated?: 'uuid' | 'sequence' | 'store';
  readonly special?: 'version' | 'createdAt' | 'updatedAt' | 'softDelete';
  readonly nullable?: boolean;
  readonly array?: boolean;
  readonly length?: number;
  readonly precision?: number | TimePrecision;
  readonly scale?: number;
  readonly values?: readonly (string | number)[];
  /** Value of the class, or a function that makes one. */
  readonly default?: unknown;
  readonly convert?: ValueConverter;
}

/** An object without identity, whose members have columns of their own. */
export interface AdoptedEmbedded {
  readonly kind: 'embedded';
  readonly name: string;
  readonly target: EntityClass;
  /** Null where all of its columns are. */
  readonly nullable: boolean;
  readonly members: readonly AdoptedMember[];
}

/** A relation whose property holds the related entities themselves. */
export interface AdoptedRelation {
  readonly kind: 'relation';
  readonly name: string;
  readonly relation: 'many-to-one' | 'one-to-one' | 'one-to-many' | 'many-to-many';
  readonly target: EntityClass;
  readonly nullable: boolean;
  /** Where the key is in this entity's row: its columns, and the properties of the target that they refer to. */
  readonly key?: { readonly columns: readonly string[]; readonly references: readonly string[] };
  /** Where it is not: the relation of the target that leads back. */
  readonly inverse?: string;
  /** Where this side owns a table of links: its name, and the columns aligned with the ids of both sides. */
  readonly link?: AdoptedLink;
  readonly onDelete?: 'restrict' | 'cascade' | 'set null' | 'none';
  readonly cascade: readonly ('persist' | 'remove')[];
  readonly orphanRemoval?: boolean;
}

export interface AdoptedLink {
  readonly table: string;
  readonly namespace?: string;
  readonly ownerColumns: readonly string[];
  readonly targetColumns: readonly string[];
}

export interface AdoptedIndex {
  readonly name: string;
  /** Dotted paths; a relation stands for its key. */
  readonly properties: readonly string[];
  readonly unique: boolean;
  readonly where?: string;
  readonly type?: string;
}
