/** Relations between entities, each of them between any two stores. */
import type { RelationDeclaration } from '../metadata/declarations.js';
import type { EntityClass } from '../model/entity-model.js';
import type { Collection } from '../relations/collection.js';
import type { Ref } from '../relations/ref.js';
import type { TimeSeries } from '../relations/time-series.js';
import { memberPlace } from './place.js';
import type { At, RelationProperty } from './shape.js';

/** Class at the other end, as a function, so that two modules may import each other. */
export type TargetThunk<T extends object> = () => EntityClass<T>;

/** What happens to the other end together with this one. */
export interface CascadeOptions {
  /**
   * `persist`: adding this entity adds what it reaches (default for all relations). `remove`: removing this entity
   * removes what it reaches. `false` for neither.
   */
  readonly cascade?: readonly ('persist' | 'remove')[] | false;
}

/** Options of `@ManyToOne` and of the owning side of `@OneToOne`. */
export interface ReferenceOptions extends CascadeOptions {
  /** There may be no other end. Default: false. */
  readonly nullable?: boolean;
  /**
   * What the store does when the other end is deleted, where both live in one store: 'restrict' refuses (default for
   * two relational entities of one store), 'cascade' deletes this row, 'set null', or 'none' for no constraint.
   */
  readonly onDelete?: 'restrict' | 'cascade' | 'set null' | 'none';
  /** Name of the key in the store; default: `author_id` for `author`. */
  readonly column?: string;
  /** Whether the key is indexed. Default: true. */
  readonly index?: boolean;
}

/** Options of relations whose key is at the other end. */
export interface InverseOptions extends CascadeOptions {
  /** An entity that is taken out of the relation is removed. Default: false. */
  readonly orphanRemoval?: boolean;
}

/** Options of `@ManyToMany`. */
export interface ManyToManyOptions<T> extends CascadeOptions {
  /** Relation of the other end that owns the link: `t => t.posts`, or its name. Without it this side owns it. */
  readonly mappedBy?: ((target: T) => Collection<object>) | string;
  /** Name of the link table in the store; default: `post_tags` for `Post.tags`. */
  readonly table?: string;
}

/** Options of `@Related`. */
export interface EdgeOptions extends CascadeOptions {
  /** 'out' (default), 'in', or 'both' for a class related to itself without direction. */
  readonly direction?: 'out' | 'in' | 'both';
  /** Graph store that keeps the edges. Default: 'graph'. */
  readonly store?: string;
}

/**
 * The entity that this one belongs to. The key is in this entity's row.
 *
 * ```ts
 * @ManyToOne(() => User) author!: Ref<User>;
 * ```
 */
export function ManyToOne<T extends object>(
  target: TargetThunk<T>,
  options: ReferenceOptions = {},
): RelationProperty<Ref<T>, '@ManyToOne: the property must be a Ref of the target'> {
  return declareRelation({ by: 'ManyToOne', relation: 'many-to-one', target, ...options });
}

/**
 * The entities that belong to this one. `inverse` selects a `@ManyToOne` of the target, or a plain property of it that
 * holds this entity's id.
 */
export function OneToMany<T extends object>(
  target: TargetThunk<T>,
  inverse: (target: T) => unknown,
  options: InverseOptions = {},
): RelationProperty<Collection<T>, '@OneToMany: the property must be a Collection of the target'> {
  return declareRelation({ by: 'OneToMany', relation: 'one-to-many', target, inverse, ...options });
}

/**
 * The one entity that belongs with this one. With a selector (of a `@OneToOne` or `@ManyToOne` of the target, or of a
 * plain property that holds this entity's id) the key is at the other end; without one it is here, and unique.
 */
export function OneToOne<T extends object>(
  target: TargetThunk<T>,
  inverse?: ((target: T) => unknown) | ReferenceOptions,
  options?: ReferenceOptions | InverseOptions,
): RelationProperty<Ref<T>, '@OneToOne: the property must be a Ref of the target'> {
  const selector = typeof inverse === 'function' ? { inverse } : {};
  const given = typeof inverse === 'object' ? inverse : options;
  return declareRelation({ by: 'OneToOne', relation: 'one-to-one', target, ...selector, ...given });
}

/** Entities of the target, each of which may have many of this one. Kept as links in the store of the owning side. */
export function ManyToMany<T extends object>(
  target: TargetThunk<T>,
  options: ManyToManyOptions<T> = {},
): RelationProperty<Collection<T>, '@ManyToMany: the property must be a Collection of the target'> {
  return declareRelation({ by: 'ManyToMany', relation: 'many-to-many', target, ...options });
}

/**
 * Entities at the other end of edges in the graph store; both ends may live in any store. Where a `@Relationship` class
 * of that type joins the two, its instances are the edges.
 */
export function Related<T extends object>(
  target: TargetThunk<T>,
  type: string,
  options: EdgeOptions = {},
): RelationProperty<Collection<T>, '@Related: the property must be a Collection of the target'> {
  return declareRelation({ by: 'Related', relation: 'related', target, type, ...options });
}

/** Measurements of this entity; `inverse` selects the tag (or field) of the measurement that holds this entity's id. */
export function Series<T extends object>(
  target: TargetThunk<T>,
  inverse: (target: T) => unknown,
): RelationProperty<TimeSeries<T>, '@Series: the property must be a TimeSeries of the target'> {
  return declareRelation({ by: 'Series', relation: 'series', target, inverse });
}

/** Where a relationship starts. */
export function From<T extends object>(
  target: TargetThunk<T>,
  options: Pick<ReferenceOptions, 'column' | 'cascade' | 'index'> = {},
): RelationProperty<Ref<T>, '@From: the property must be a Ref of the target'> {
  return declareRelation({ by: 'From', relation: 'many-to-one', target, endpoint: 'from', ...options });
}

/** Where a relationship ends. */
export function To<T extends object>(
  target: TargetThunk<T>,
  options: Pick<ReferenceOptions, 'column' | 'cascade' | 'index'> = {},
): RelationProperty<Ref<T>, '@To: the property must be a Ref of the target'> {
  return declareRelation({ by: 'To', relation: 'many-to-one', target, endpoint: 'to', ...options });
}

function declareRelation<Exact, Said extends string>(
  declaration: Omit<RelationDeclaration, 'kind' | 'name'>,
): RelationProperty<Exact, Said> {
  const declare = (on: unknown, at: At): void => {
    const place = memberPlace(declaration.by, on, at);
    place?.declarations.members.push({ kind: 'relation', name: place.name, ...declaration });
  };
  return declare as never;
}
