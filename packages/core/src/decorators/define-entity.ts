/**
 * The front end without decorators: `class User extends defineEntity({ … }) {}`. The class form is the one to use: its
 * name is what errors print, and methods have a place. References go through functions (`friends: () => p.related(…)`),
 * which the checker does not open while the class is being made; so classes may refer to themselves and to each other.
 */
import {
  type AnnotationDeclaration,
  type ClassDeclarations,
  declarationsOf,
  type ModelDeclaration,
} from '../metadata/declarations.js';
import type { DataModel, LifecycleEvent } from '../model/entity-model.js';
import type { Defaults, identity, model, optional } from '../types/brands.js';
import { type AuditedOptions, auditedAnnotation } from './audited.js';
import type { Builder, IdBuilder, OptionalBuilder } from './builders.js';
import type { FullIndexOptions, ShardedOptions } from './indexes.js';

/** What there is to say about an entity beside its properties. */
export interface EntityOptions<M extends DataModel, P> {
  /** Name of the entity, the class's own. */
  readonly name: string;
  readonly model: M;
  /**
   * Builders by name (`email: p.string()`), and functions that give one where it names a class (`() => p.manyToOne(User)`).
   * Of no certain type here: the checker would otherwise look into every builder, and every function, too early.
   */
  readonly props: P;
  /** Logical store; default: the model's name. */
  readonly store?: string;
  /** Table of a relational entity; default: the name in snake case and plural. */
  readonly table?: string;
  /** Database schema of a relational entity. */
  readonly namespace?: string;
  /** Collection of a document entity; default: the name in snake case and plural. */
  readonly collection?: string;
  /** Label of a node; default: the name. */
  readonly label?: string;
  /** Makes an entity of the graph a relationship of this type; it then needs `p.from` and `p.to`. */
  readonly type?: string;
  /** Name of a measurement; default: the name in snake case. */
  readonly measurement?: string;
  /** How long the points of a measurement are kept, like '30d'. */
  readonly retention?: string;
  readonly indexes?: readonly ({ readonly on: readonly (keyof P & string)[] } & FullIndexOptions)[];
  readonly sharded?: ShardedOptions<keyof P & string>;
  /** Changes are recorded, and reads where asked for. See `@Audited`. */
  readonly audited?: true | AuditedOptions<(keyof P & string) | `${keyof P & string}.${string}`>;
  /** Methods of the class to call at moments of an entity's life. */
  readonly hooks?: { readonly [E in LifecycleEvent]?: string | readonly string[] };
}

type ValueIn<B> = B extends Builder<infer V> ? V : B extends () => Builder<infer V> ? V : never;

type LeftOut<P> = {
  [K in keyof P]: P[K] extends OptionalBuilder<unknown> ? K : never;
}[keyof P] &
  string;

type Identity<P> = { [K in keyof P]: P[K] extends IdBuilder<unknown> ? K : never }[keyof P] & string;

/** Instance of a defined entity. */
export type EntityOf<P> = { -readonly [K in keyof P]: ValueIn<P[K]> };

/** What a defined entity says about itself. */
export interface DefinedBrands<M extends DataModel, P> {
  readonly [model]: M;
  readonly [optional]?: Defaults<LeftOut<P>>;
  readonly [identity]: Identity<P>;
}

/** A class to extend. */
export type DefinedEntity<M extends DataModel, P> = new () => EntityOf<P> & DefinedBrands<M, P>;

const KINDS = { relational: 'relational', document: 'document', graph: 'node', timeseries: 'measurement' } as const;

/**
 * Defines an entity without decorators.
 *
 * ```ts
 * class Person extends defineEntity({
 *   name: 'Person',
 *   model: 'graph',
 *   props: { id: p.id(), email: p.string({ unique: true }), friends: () => p.related(Person, 'FRIENDS_WITH') },
 * }) {
 *   greet() { return `Hello ${this.email}`; }
 * }
 * ```
 */
export function defineEntity<M extends DataModel, P extends object>(options: EntityOptions<M, P>): DefinedEntity<M, P> {
  const base = class {};
  Object.defineProperty(base, 'name', { value: options.name });
  const declarations = declarationsOf(base);
  declarations.models.push(modelDeclaration(options));
  for (const [name, prop] of Object.entries(options.props)) declareMember(declarations, name, prop);
  for (const { on, unique = false, ...rest } of options.indexes ?? []) {
    declarations.indexes.push({ by: 'indexes', properties: on, unique, ...rest });
  }
  for (const [event, methods] of Object.entries(options.hooks ?? {})) {
    for (const method of [methods].flat()) declarations.hooks.push({ event: event as LifecycleEvent, method });
  }
  if (options.sharded !== undefined) declarations.annotations.push(shardedAnnotation(options.sharded));
  const { audited } = options;
  if (audited !== undefined) {
    declarations.annotations.push(auditedAnnotation('audited', audited === true ? {} : audited));
  }
  return base as unknown as DefinedEntity<M, P>;
}

/**
 * Defines a class to embed: `class Address extends defineEmbedded({ zip: p.string() }) {}`.
 */
export function defineEmbedded<P extends object>(props: P): new () => EntityOf<P> {
  const base = class {};
  const declarations = declarationsOf(base);
  for (const [name, prop] of Object.entries(props)) declareMember(declarations, name, prop);
  return base as unknown as new () => EntityOf<P>;
}

function modelDeclaration(
  options: Omit<EntityOptions<DataModel, unknown>, 'props' | 'indexes' | 'sharded' | 'audited'>,
): ModelDeclaration {
  const { name, store, namespace, retention, table, collection, label, type, measurement } = options;
  const source = table ?? collection ?? label ?? type ?? measurement;
  return {
    by: 'defineEntity',
    inherited: true,
    name,
    model: options.model,
    kind: options.model === 'graph' && type !== undefined ? 'relationship' : KINDS[options.model],
    ...(source === undefined ? {} : { source }),
    ...(store === undefined ? {} : { store }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(retention === undefined ? {} : { options: { retention } }),
  };
}

function declareMember(declarations: ClassDeclarations, name: string, prop: unknown): void {
  if (typeof prop === 'function') {
    declarations.members.push({ kind: 'lazy', by: 'defineEntity', name, make: prop as () => unknown });
  } else if (typeof prop === 'object' && prop !== null && 'declaration' in prop) {
    declarations.members.push({ ...(prop as Builder<unknown>).declaration, name });
  } else {
    declarations.mistakes.push({ property: name, message: 'is no property. Give it a builder, like p.string().' });
  }
}

function shardedAnnotation(options: ShardedOptions<string>): AnnotationDeclaration {
  return { key: 'sharded', by: 'sharded', value: { strategy: 'hash', ...options }, properties: [options.by] };
}
