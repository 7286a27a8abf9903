/**
 * The frozen description of an entity: what metadata compiles to, and all that a store is told about a class.
 * Everything right of `metadata` in the way of the data reads this and nothing else.
 */
import type { Field, Row } from './field.js';

/** A class that can be an entity. */
export type EntityClass<T extends object = object> = abstract new (...args: never[]) => T;

/** The four data models. */
export type DataModel = 'relational' | 'document' | 'graph' | 'timeseries';

/** What a class is within its data model. `link` is the hidden entity behind a many-to-many or related relation. */
export type EntityKind = 'relational' | 'document' | 'node' | 'relationship' | 'measurement' | 'link';

/** An index or unique constraint. */
export interface IndexModel {
  /** At most 63 characters, unique within the store. */
  readonly name: string;
  readonly fields: readonly Field[];
  readonly unique: boolean;
  /** Partial index: only rows for which this holds. In the store's own words, as the user wrote it. */
  readonly where?: string;
  /** Kind of index, where the store offers several ('btree', 'gin', 'fulltext', …); its default if absent. */
  readonly type?: string;
}

/** Moments in an entity's life at which a method of it is called. */
export type LifecycleEvent =
  | 'beforeInsert'
  | 'afterInsert'
  | 'beforeUpdate'
  | 'afterUpdate'
  | 'beforeDelete'
  | 'afterDelete'
  | 'afterLoad';

/** An embedded object, kept as leaves in `EntityModel.fields`. */
export interface EmbeddedModel {
  /** Dotted path in the class: `home`, `home.position`. */
  readonly name: string;
  readonly path: readonly string[];
  /** Class to instantiate; a plain object if absent. */
  readonly target?: EntityClass;
  /** A nullable embedded object is `null` in the class when all its leaves are null in the store. */
  readonly nullable: boolean;
  /** A new entity that is given none gets one, with its defaults. */
  readonly implied?: boolean;
}

/** One entity, validated and frozen. */
export interface EntityModel {
  /** Name of the class; unique among the entities of one `open()`. */
  readonly name: string;
  readonly target: EntityClass;
  readonly model: DataModel;
  readonly kind: EntityKind;
  /** Logical name of the store. */
  readonly store: string;
  /** Table, collection, label, relationship type or measurement. */
  readonly source: string;
  /** Database schema or namespace within the store, if the user named one. */
  readonly namespace?: string;
  /** All stored leaves: ids first, then in the order of declaration, base classes first. */
  readonly fields: readonly Field[];
  readonly fieldsByName: ReadonlyMap<string, Field>;
  /** The identity: `@Id` properties; of a measurement its timestamp and tags; of a link its keys. */
  readonly ids: readonly Field[];
  readonly embeddeds: readonly EmbeddedModel[];
  readonly relations: readonly RelationModel[];
  readonly relationsByName: ReadonlyMap<string, RelationModel>;
  readonly indexes: readonly IndexModel[];
  /** Optimistic lock: starts at 1, plus 1 with each update. */
  readonly version?: Field;
  readonly createdAt?: Field;
  readonly updatedAt?: Field;
  /** Nullable timestamp; set by `remove` in place of a deletion, and filtered out of reads by default. */
  readonly softDelete?: Field;
  /** Of a measurement: its point in time. */
  readonly timestamp?: Field;
  /** Of a relationship or a link in a graph: the two endpoints. */
  readonly endpoints?: Endpoints;
  readonly hooks: ReadonlyMap<LifecycleEvent, readonly string[]>;
  /** Annotations of later layers (sharding, replicas, cache, audit …) by their key; core does not look inside. */
  readonly annotations: ReadonlyMap<string, unknown>;
}

/** Where a relationship starts and ends. Key fields belong to the relationship entity, ids to the endpoint's entity. */
export interface Endpoints {
  readonly from: Endpoint;
  readonly to: Endpoint;
}

export interface Endpoint {
  readonly entity: EntityModel;
  readonly fields: readonly Field[];
}

/** Reads the identity out of a row that is aligned with `fields` of the entity. */
export type KeyOf = (row: Row) => string;

/*
 * A relation joins two entities, whatever their stores. Every relation is one of three joins, and none of them needs
 * both sides in one store: the key is here, the key is there, or the keys are in a link entity of their own. An entity
 * knows its relations and a relation its entities, so both are described in this one file.
 */

export type RelationKind = 'many-to-one' | 'one-to-one' | 'one-to-many' | 'many-to-many' | 'related' | 'series';

/** What the property of the class holds. */
export type RelationContainer = 'ref' | 'collection' | 'series';

/** How the rows of both sides find each other; lists of fields are aligned pairwise. */
export type Join =
  /** The owner's row has the key: `fields` of the owner equal `targetFields` of the target. */
  | { readonly via: 'owner'; readonly fields: readonly Field[]; readonly targetFields: readonly Field[] }
  /** The target's row has the key: `targetFields` of the target equal `fields` of the owner. */
  | { readonly via: 'target'; readonly fields: readonly Field[]; readonly targetFields: readonly Field[] }
  /** A link entity has both keys, aligned with the ids of owner and target. */
  | {
      readonly via: 'link';
      readonly link: EntityModel;
      readonly ownerFields: readonly Field[];
      readonly targetFields: readonly Field[];
      /** `both`: the pair matches either way round (undirected relationship of a class with itself). */
      readonly direction: 'out' | 'in' | 'both';
    };

export interface RelationModel {
  /** Property of the owner's class. */
  readonly name: string;
  readonly kind: RelationKind;
  readonly container: RelationContainer;
  readonly owner: EntityModel;
  readonly target: EntityModel;
  readonly join: Join;
  /** Relation of the target that is the other side of this one, if declared. */
  readonly inverse?: RelationModel;
  readonly nullable: boolean;
  /** `persist` (default for all): adding the owner adds what it reaches. `remove`: removing the owner removes it. */
  readonly cascade: { readonly persist: boolean; readonly remove: boolean };
  /** An entity taken out of the relation is removed. */
  readonly orphanRemoval: boolean;
  /** The property holds the related entities themselves and no container: the class was written for another library. */
  readonly plain?: boolean;
  /** Foreign key constraint where both sides are in one store that has them; `undefined`: none. */
  readonly onDelete?: 'restrict' | 'cascade' | 'set null';
}
