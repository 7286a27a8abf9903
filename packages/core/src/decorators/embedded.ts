/** `@Embedded`: an object without identity, stored in the columns of its owner. */
import type { EntityClass } from '../model/entity-model.js';
import { memberPlace } from './place.js';
import type { At, Declared } from './shape.js';

/** Options of `@Embedded`. */
export interface EmbeddedOptions {
  /** The property may be null; it is when every value of it is null in the store. Default: false. */
  readonly nullable?: boolean;
  /** An array of objects, kept as one json value. Default: false. */
  readonly array?: boolean;
  /** Beginning of the names of its columns; default: the property's name in snake case and `_`. */
  readonly prefix?: string;
}

/** A property that holds an embedded object, an array of them, or null. */
export type EmbeddedProperty<V, N extends boolean> = <T, const A>(
  target: CheckEmbedded<T, Declared<T, A>, V, N>,
  at: A,
) => void;

type CheckEmbedded<T, D, V, N extends boolean> = unknown extends D
  ? T
  : [NonNullable<D>] extends [V]
    ? [null extends D ? true : false] extends [N]
      ? T
      : N extends true
        ? '@Embedded is nullable, so the property must allow null'
        : '@Embedded: the property allows null, so add { nullable: true }'
    : '@Embedded: the property must be of the embedded class, or an array of it with { array: true }';

/**
 * An embedded object, a class with `@Property` members and no identity of its own. Its properties are columns of the
 * owner (`home_zip`) and can be filtered and ordered by (`{ home: { zip: '10115' } }`).
 */
export function Embedded<V extends object, const O extends EmbeddedOptions = object>(
  target: () => EntityClass<V>,
  options?: O,
): EmbeddedProperty<
  O extends { readonly array: true } ? V[] : V,
  O extends { readonly nullable: true } ? true : false
> {
  const { nullable = false, array = false, prefix }: EmbeddedOptions = options ?? {};
  return ((on: unknown, at: At) => {
    const place = memberPlace('Embedded', on, at);
    place?.declarations.members.push({
      kind: 'embedded',
      by: 'Embedded',
      name: place.name,
      target,
      nullable,
      array,
      ...(prefix === undefined ? {} : { prefix }),
    });
  }) as never;
}
