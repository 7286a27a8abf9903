/** What every unit of work of one `open()` shares. */
import type { Attribution } from '../audit/attribution.js';
import type { Audit } from '../audit/audit.js';
import type { CommitEngine } from '../commit/across/engine.js';
import type { Atomicity } from '../commit/domain-transactions.js';
import { ConfigurationError } from '../errors/errors.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { RelationLoader } from '../relations/relation-loader.js';
import type { Store } from '../store/store.js';
import type { CommitHooks } from './commit-hooks.js';
import type { CurrentWork } from './current-work.js';
import type { AuditedUnit, CallOptions, ContextSource } from './ports.js';

export interface Environment {
  readonly domain: DomainModel;
  /** Guarded, by logical name. */
  readonly stores: ReadonlyMap<string, Store>;
  readonly atomicity: Atomicity;
  readonly current: CurrentWork;
  readonly hooks: CommitHooks;
  /** Present where an entity is audited. */
  readonly audit?: Audit | undefined;
  /** Runs audited calls in a unit of work of their own. */
  inUnit<R>(options: CallOptions & Attribution, run: (unit: AuditedUnit) => Promise<R>): Promise<R>;
  /** Commits over several transaction domains, where one of the stores can coordinate them; known once all are open. */
  engine?: CommitEngine | undefined;
  /** Present while entities may be moved between stores. */
  readonly routes?: Routes | undefined;
  /** Relation containers load through this; given from the left, where populate lives. */
  loaderFor(source: ContextSource): RelationLoader;
}

/** Where entities are that are being moved from one store to another. */
export interface Routes {
  /** Where an entity is as far as this process knows; undefined: in the store of its name. */
  storeOf(entity: EntityModel): Store | undefined;
  /** The same, that changes no more; undefined where nothing is on the move. */
  pinned(): Routes | undefined;
}

export function storeOf(environment: Environment, entity: EntityModel): Store {
  return environment.routes?.storeOf(entity) ?? storeNamed(environment, entity.store);
}

/** Whether one store has both entities. */
export function areTogether(environment: Environment, a: EntityModel, b: EntityModel): boolean {
  return storeOf(environment, a) === storeOf(environment, b);
}

/** For one unit of work or call: within it, an entity stays where it was at its beginning. */
export function pinned(environment: Environment): Environment {
  return environment.routes === undefined ? environment : { ...environment, routes: environment.routes.pinned() };
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
