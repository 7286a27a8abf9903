/**
 * Builders of properties for `defineEntity`. A builder carries the type of its property and whether `create` may leave
 * it out, and at run time the same declaration that a decorator would have written.
 */
import type {
  EmbeddedDeclaration,
  FieldDeclaration,
  FieldOptions,
  RelationDeclaration,
} from '../metadata/declarations.js';
import type { EntityClass } from '../model/entity-model.js';
import type { FieldType } from '../model/field.js';
import type { Collection } from '../relations/collection.js';
import type { Ref } from '../relations/ref.js';
import type { TimeSeries } from '../relations/time-series.js';
import type { EmbeddedOptions } from './embedded.js';
import type { MeasureOptions, TagOptions, TagType, TimestampOptions } from './measurement.js';
import type { MomentOptions, VersionOptions } from './moments.js';
import type { IdOptions, One, PropertyOptions, ValueOf } from './property.js';
import type { CascadeOptions, EdgeOptions, InverseOptions, ManyToManyOptions, ReferenceOptions } from './relations.js';

/** What a builder has written down; the name comes from the key it stands under. */
export type Unnamed =
  | Omit<FieldDeclaration, 'name'>
  | Omit<EmbeddedDeclaration, 'name'>
  | Omit<RelationDeclaration, 'name'>;

/** A property of type `V`. */
export interface Builder<V> {
  readonly declaration: Unnamed;
  readonly value?: V;
}

/** A property that `create` may leave out. */
export interface OptionalBuilder<V> extends Builder<V> {
  readonly leaveOut: true;
}

/** The identity or a part of it. */
export interface IdBuilder<V> extends Builder<V> {
  readonly identifies: true;
}

/** An identity that is made by the application or the store. */
export interface GeneratedIdBuilder<V> extends OptionalBuilder<V>, IdBuilder<V> {}

/** Options of a property of type `V`. A default is of that type, or a function, an array, or an object that a converter takes. */
interface Options<V> extends Omit<PropertyOptions, 'values' | 'precision' | 'scale' | 'length' | 'default'> {
  readonly default?: V | object;
}

/** What the class holds: the converter's value, an array, or the value itself. */
type Held<V, O> = O extends { readonly convert: { readonly fromStore: (value: never) => infer C } }
  ? C
  : O extends { readonly array: true }
    ? V[]
    : V;

type Built<V, O> = O extends { readonly nullable: true }
  ? Builder<Held<V, O> | null>
  : O extends { readonly default: unknown }
    ? OptionalBuilder<Held<V, O>>
    : Builder<Held<V, O>>;

type BuiltId<T extends FieldType, O> = O extends { readonly generated: infer G }
  ? G extends string
    ? GeneratedIdBuilder<ValueOf<T, O>>
    : IdBuilder<ValueOf<T, O>>
  : T extends 'uuid'
    ? GeneratedIdBuilder<ValueOf<T, O>>
    : IdBuilder<ValueOf<T, O>>;

type EmbeddedValue<V, O> = O extends { readonly array: true } ? V[] : V;

function field(
  by: string,
  type: FieldType,
  options: object = {},
  more: Partial<Pick<FieldDeclaration, 'id' | 'special' | 'role'>> = {},
): never {
  const declaration: Unnamed = {
    kind: 'field',
    by,
    role: 'property',
    options: { ...(options as FieldOptions), type },
    ...more,
  };
  return { declaration } as never;
}

function relation(declaration: Omit<RelationDeclaration, 'kind' | 'name'>): never {
  return { declaration: { kind: 'relation', ...declaration } } as never;
}

const builders = {
  /** The identity, a generated UUID unless told otherwise. See `@Id`. */
  id<const T extends FieldType = 'uuid', const O extends IdOptions = object>(type?: T, options?: O): BuiltId<T, O> {
    const { generated, ...rest }: IdOptions = options ?? {};
    return field('id', type ?? 'uuid', rest, { id: { generated: generated ?? 'auto' } });
  },
  /** Text of varying length. */
  string<const O extends Options<string> & { readonly length?: number } = object>(options?: O): Built<string, O> {
    return field('string', 'string', options);
  },
  /** Long text. */
  text<const O extends Options<string> = object>(options?: O): Built<string, O> {
    return field('text', 'text', options);
  },
  /** A whole number of 32 bits. */
  integer<const O extends Options<number> = object>(options?: O): Built<number, O> {
    return field('integer', 'integer', options);
  },
  /** A whole number of 64 bits, a bigint in the class. */
  bigint<const O extends Options<bigint> = object>(options?: O): Built<bigint, O> {
    return field('bigint', 'bigint', options);
  },
  /** A number. */
  float<const O extends Options<number> = object>(options?: O): Built<number, O> {
    return field('float', 'float', options);
  },
  /** An exact number, a string in the class. */
  decimal<const O extends Options<string> & { readonly precision?: number; readonly scale?: number } = object>(
    options?: O,
  ): Built<string, O> {
    return field('decimal', 'decimal', options);
  },
  /** True or false. */
  boolean<const O extends Options<boolean> = object>(options?: O): Built<boolean, O> {
    return field('boolean', 'boolean', options);
  },
  /** A calendar date, 'YYYY-MM-DD' in the class. */
  date<const O extends Options<string> = object>(options?: O): Built<string, O> {
    return field('date', 'date', options);
  },
  /** An instant, a Date in the class (precision 'ms') or a bigint since 1970 ('us', 'ns'). */
  timestamp<const O extends Options<Date | bigint> & Pick<TimestampOptions, 'precision'> = object>(
    options?: O,
  ): Built<O extends { readonly precision: 'us' | 'ns' } ? bigint : Date, O> {
    return field('timestamp', 'timestamp', options);
  },
  /** A UUID. */
  uuid<const O extends Options<string> = object>(options?: O): Built<string, O> {
    return field('uuid', 'uuid', options);
  },
  /** A JSON value; its type is the application's promise: `p.json<Settings>()`. */
  json<V = unknown>(options?: Omit<Options<never>, 'nullable' | 'default' | 'array'>): Builder<V> {
    return field('json', 'json', options);
  },
  /** A JSON value or nothing. */
  jsonOrNull<V = unknown>(options?: Omit<Options<never>, 'nullable' | 'default' | 'array'>): Builder<V | null> {
    return field('jsonOrNull', 'json', { ...options, nullable: true });
  },
  /** Bytes. */
  bytes<const O extends Options<Uint8Array> = object>(options?: O): Built<Uint8Array, O> {
    return field('bytes', 'bytes', options);
  },
  /** One of these values. */
  enum<const V extends readonly (string | number)[], const O extends Options<V[number]> = object>(
    values: V,
    options?: O,
  ): Built<V[number], O> {
    return field('enum', 'enum', { ...options, values });
  },
  /** Optimistic lock. See `@Version`. */
  version<const O extends VersionOptions = object>(
    options?: O,
  ): OptionalBuilder<O extends { readonly type: 'bigint' } ? bigint : number> {
    const { type = 'integer', ...rest }: VersionOptions = options ?? {};
    return field('version', type, rest, { special: 'version' });
  },
  /** Time of the first write. */
  createdAt(options?: MomentOptions): OptionalBuilder<Date> {
    return field('createdAt', 'timestamp', options, { special: 'createdAt' });
  },
  /** Time of the last write. */
  updatedAt(options?: MomentOptions): OptionalBuilder<Date> {
    return field('updatedAt', 'timestamp', options, { special: 'updatedAt' });
  },
  /** Time of removal. See `@SoftDelete`. */
  softDelete(options?: MomentOptions): Builder<Date | null> {
    return field('softDelete', 'timestamp', { ...options, nullable: true }, { special: 'softDelete' });
  },
  /** Name of a series. See `@Tag`. */
  tag<const T extends TagType = 'string', const O extends TagOptions = object>(
    type?: T,
    options?: O,
  ): Built<One<T, O>, O> {
    return field('tag', type ?? 'string', options, { role: 'tag' });
  },
  /** A measured value. See `@Field`. */
  field<const T extends FieldType = 'float', const O extends MeasureOptions = object>(
    type?: T,
    options?: O,
  ): Built<One<T, O>, O> {
    return field('field', type ?? 'float', options, { role: 'measure' });
  },
  /** Time of a point. See `@Timestamp`. */
  time<const O extends TimestampOptions = object>(options?: O): Builder<ValueOf<'timestamp', O>> {
    return field('time', 'timestamp', options, { role: 'timestamp' });
  },
  /** An object without identity, of a class with `@Property` members or of `defineEmbedded`. See `@Embedded`. */
  embedded<V extends object, const O extends EmbeddedOptions = object>(
    target: EntityClass<V>,
    options?: O,
  ): Builder<O extends { readonly nullable: true } ? EmbeddedValue<V, O> | null : EmbeddedValue<V, O>> {
    const { nullable = false, array = false, prefix }: EmbeddedOptions = options ?? {};
    const declaration: Unnamed = {
      kind: 'embedded',
      by: 'embedded',
      target: () => target,
      nullable,
      array,
      ...(prefix === undefined ? {} : { prefix }),
    };
    return { declaration } as never;
  },
  /** See `@ManyToOne`. */
  manyToOne<T extends object>(target: EntityClass<T>, options: ReferenceOptions = {}): OptionalBuilder<Ref<T>> {
    return relation({ by: 'manyToOne', relation: 'many-to-one', target: () => target, ...options });
  },
  /** See `@OneToMany`. */
  oneToMany<T extends object>(
    target: EntityClass<T>,
    inverse: (target: T) => unknown,
    options: InverseOptions = {},
  ): OptionalBuilder<Collection<T>> {
    return relation({ by: 'oneToMany', relation: 'one-to-many', target: () => target, inverse, ...options });
  },
  /** See `@OneToOne`: with a selector the key is at the other end. */
  oneToOne<T extends object>(
    target: EntityClass<T>,
    inverse?: ((target: T) => unknown) | ReferenceOptions,
    options?: ReferenceOptions | InverseOptions,
  ): OptionalBuilder<Ref<T>> {
    const selector = typeof inverse === 'function' ? { inverse } : {};
    const given = typeof inverse === 'object' ? inverse : options;
    return relation({ by: 'oneToOne', relation: 'one-to-one', target: () => target, ...selector, ...given });
  },
  /** See `@ManyToMany`. */
  manyToMany<T extends object>(
    target: EntityClass<T>,
    options: ManyToManyOptions<T> = {},
  ): OptionalBuilder<Collection<T>> {
    return relation({ by: 'manyToMany', relation: 'many-to-many', target: () => target, ...options });
  },
  /** See `@Related`. */
  related<T extends object>(
    target: EntityClass<T>,
    type: string,
    options: EdgeOptions = {},
  ): OptionalBuilder<Collection<T>> {
    return relation({ by: 'related', relation: 'related', target: () => target, type, ...options });
  },
  /** See `@Series`. */
  series<T extends object>(target: EntityClass<T>, inverse: (target: T) => unknown): OptionalBuilder<TimeSeries<T>> {
    return relation({ by: 'series', relation: 'series', target: () => target, inverse });
  },
  /** Where a relationship starts. */
  from<T extends object>(
    target: EntityClass<T>,
    options: CascadeOptions & { readonly column?: string } = {},
  ): OptionalBuilder<Ref<T>> {
    return relation({ by: 'from', relation: 'many-to-one', target: () => target, endpoint: 'from', ...options });
  },
  /** Where a relationship ends. */
  to<T extends object>(
    target: EntityClass<T>,
    options: CascadeOptions & { readonly column?: string } = {},
  ): OptionalBuilder<Ref<T>> {
    return relation({ by: 'to', relation: 'many-to-one', target: () => target, endpoint: 'to', ...options });
  },
} as const;

/** All builders; an interface, so that messages name it instead of printing it. */
export interface Builders extends BuildersByName {}

type BuildersByName = typeof builders;

/** Builders of properties for `defineEntity`. Options are those of the decorators of the same name. */
export const p: Builders = builders;
