/**
 * The shape of every property decorator: one signature for legacy and standard call sites. `at` is a property name in
 * the one and a context in the other; the check of the property's type is a conditional type on the *first* parameter,
 * whose failing branch is a sentence. So both styles are checked, and the message is two lines long. Overloads are
 * avoided on purpose: compilers print the wrong one.
 */
import type { ConventionalNames, DefaultedNames } from '../types/brands.js';

/** Second argument of a property decorator. */
export type At = PropertyKey | { readonly kind: string; readonly name: PropertyKey };

/** Type that the class declares for the property; `unknown` where it cannot be seen (private in legacy mode). */
export type Declared<T, A> = A extends { readonly access: { get(object: never): infer V } }
  ? V
  : A extends keyof T
    ? T[A]
    : unknown;

/** Class that the property belongs to. */
export type Owner<T, A> = A extends { readonly access: { has(object: infer O): boolean } } ? O : T;

/** Name of the property. */
export type NameAt<A> = A extends { readonly name: infer N } ? N : A;

/** A property that holds `V` and is never null. */
export type PlainProperty<V, Said extends string> = <T, const A>(
  target: CheckPlain<T, Declared<T, A>, V, Said>,
  at: A,
) => void;

type CheckPlain<T, D, V, Said extends string> = [D] extends [V] ? T : Misfit<T, D, V, Said>;

/** What cannot be seen is not judged. The second most likely mistake is null; it has its own sentence. */
type Misfit<T, D, V, Said extends string> = unknown extends D
  ? T
  : [NonNullable<D>] extends [V]
    ? null extends D
      ? `${Said}: the property allows null, so add { nullable: true }`
      : `${Said}: the property allows undefined; declare it with ! or with null and { nullable: true }`
    : `${Said}: the property must be of type ${NameOf<V>}`;

/** A property that holds `V` or null. */
export type NullableProperty<V, Said extends string> = <T, const A>(
  target: CheckNullable<T, Declared<T, A>, V, Said>,
  at: A,
) => void;

type CheckNullable<T, D, V, Said extends string> = [D] extends [V | null | undefined]
  ? null extends D
    ? T
    : `${Said} is nullable, so the property must be of type ${NameOf<V>} | null`
  : unknown extends D
    ? T
    : `${Said}: the property must be of type ${NameOf<V>} | null`;

/** A property that holds `V` and is filled in where the application gives no value. */
export type DefaultedProperty<V, Said extends string> = <T, const A>(
  target: CheckDefaulted<T, A, Declared<T, A>, V, Said>,
  at: A,
) => void;

type CheckDefaulted<T, A, D, V, Said extends string> = [D] extends [V]
  ? NameAt<A> extends ConventionalNames
    ? T
    : // A private property is no input of `create`, so it need not be told there.
      Extract<NameAt<A>, keyof Owner<T, A>> extends DefaultedNames<Owner<T, A>>
      ? T
      : `${Said} is filled in by itself, so the class must say: declare readonly [optional]: Defaults<'${NameAt<A> & string}'>`
  : Misfit<T, D, V, Said>;

/** A decorator that cannot stand anywhere, because its own options contradict each other. */
export type Refused<Why extends string> = <const A>(target: Why, at: A) => void;

/** `@Property()` without a type: only emitted metadata can tell it, and only legacy compilers emit it. */
export type UntypedProperty = <T, const A>(
  target: A extends PropertyKey ? T : "@Property() needs a type, like @Property('string')",
  at: A,
) => void;

/** A property that holds a relation container, `Exact` that of the target. */
export type RelationProperty<Exact, Said extends string> = <T, const A>(
  target: CheckRelation<T, Declared<T, A>, Exact, Said>,
  at: A,
) => void;

type CheckRelation<T, D, Exact, Said extends string> = [D] extends [Exact]
  ? [Exact] extends [D]
    ? T
    : Said
  : unknown extends D
    ? T
    : Said;

/** A method without parameters, called at a moment of the entity's life. */
export type HookMethod = (
  target: object,
  at: PropertyKey | { readonly kind: string; readonly name: PropertyKey },
  descriptor?: unknown,
) => void;

/** Name of a type in a message. */
export type NameOf<V> = [V] extends [string]
  ? string extends V
    ? 'string'
    : 'the union of its values'
  : [V] extends [number]
    ? number extends V
      ? 'number'
      : 'the union of its values'
    : [V] extends [bigint]
      ? 'bigint'
      : [V] extends [boolean]
        ? 'boolean'
        : [V] extends [Date]
          ? 'Date'
          : [V] extends [Uint8Array]
            ? 'Uint8Array'
            : [V] extends [readonly (infer E)[]]
              ? `${NameOf<E>}[]`
              : 'what its converter gives';
