/** What every unit of work of one `open()` shares. */
import type { Atomicity } from '../commit/domain-transactions.js';
import { ConfigurationError } from '../errors/errors.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { RelationLoader } from '../relations/relation-loader.js';
import type { Store } from '../store/store.js';
import type { CurrentWork } from './current-work.js';
import type { ContextSource } from './ports.js';

export interface Environment {
  readonly domain: DomainModel;
  /** Guarded, by logical name. */
  readonly stores: ReadonlyMap<string, Store>;
  readonly atomicity: Atomicity;
  readonly current: CurrentWork;
  /** Relation containers load through this; given from the left, where populate lives. */
  loaderFor(source: ContextSource): RelationLoader;
}

export function storeOf(environment: Environment, entity: EntityModel): Store {
  return storeNamed(environment, entity.store);
}

/** Throws `ConfigurationError` for a logical name that no store is bound to. */
export function storeNamed({ stores }: Environment, name: string): Store {
  const store = stores.get(name);
  if (store !== undefined) return store;
  throw new ConfigurationError(
    `No store is bound to the name '${name}'. Bound are: ${[...stores.keys()].join(', ') || 'none'}.`,
    { store: name },
  );
}
