/** Class decorators beside the model: indexes, unique constraints and the shard key. */
import type { PropertyName } from '../types/properties.js';
import type { ClassContext } from './models.js';
import { classPlace } from './place.js';

/** A class decorator that names properties of the class. */
export type NamingDecorator<K extends string, Said extends string> = <
  C extends abstract new (
    ...args: never[]
  ) => object,
>(
  target: CheckNames<C, K, Said>,
  context?: ClassContext,
) => void;

/** Names within embedded objects are dotted and checked by their first part here, in full at `open()`. */
type CheckNames<C extends abstract new (...args: never[]) => object, K extends string, Said extends string> = [
  Exclude<FirstOf<K>, PropertyName<InstanceType<C>>>,
] extends [never]
  ? C
  : `${Said} names '${Exclude<FirstOf<K>, PropertyName<InstanceType<C>>>}', which is no property of the class`;

type FirstOf<K extends string> = K extends `${infer H}.${string}` ? H : K;

/** Options of `@Index` and `@Unique`. */
export interface IndexOptions {
  /** Only rows for which this holds, in the store's own words: `"deleted_at is null"`. */
  readonly where?: string;
  /** Name in the store; made from table and columns by default. */
  readonly name?: string;
}

/** Options of `@Index`. */
export interface FullIndexOptions extends IndexOptions {
  /** No two rows have the same values; default: false. */
  readonly unique?: boolean;
  /** Kind of index, where the store offers several: 'gin', 'hash' …. */
  readonly type?: string;
}

/** An index over one or several properties. */
export function Index<const K extends string>(
  properties: readonly K[],
  options: FullIndexOptions = {},
): NamingDecorator<K, '@Index'> {
  const { unique = false, ...rest } = options;
  return declareIndex('Index', properties, { unique, ...rest });
}

/** No two entities have the same values in these properties. */
export function Unique<const K extends string>(
  properties: readonly K[],
  options: IndexOptions = {},
): NamingDecorator<K, '@Unique'> {
  return declareIndex('Unique', properties, { unique: true, ...options });
}

function declareIndex<K extends string, Said extends string>(
  by: string,
  properties: readonly string[],
  options: FullIndexOptions & { readonly unique: boolean },
): NamingDecorator<K, Said> {
  const declare = (target: unknown, context?: unknown): void => {
    classPlace(by, target, context)?.indexes.push({ by, properties: [...properties], ...options });
  };
  return declare as never;
}

/** Options of `@Sharded`. */
export interface ShardedOptions<K extends string> {
  /** Property by whose value the entities are spread. */
  readonly by: K;
  /** 'hash' (default), 'range' or 'directory'. */
  readonly strategy?: 'hash' | 'range' | 'directory';
}

/** Declares how the entities are spread over shards. An annotation: stores and layers that shard read it. */
export function Sharded<const K extends string>(options: ShardedOptions<K>): NamingDecorator<K, '@Sharded'> {
  const declare = (target: unknown, context?: unknown): void => {
    classPlace('Sharded', target, context)?.annotations.push({
      key: 'sharded',
      by: 'Sharded',
      value: { strategy: 'hash', ...options },
      properties: [options.by],
    });
  };
  return declare as never;
}
