/**
 * The moves that `open()` is told of. Checked before anything is connected; each gives its entity a route instead of the
 * store of its name, until the process learns that it has moved.
 */
import { CapabilityError, ConfigurationError } from '../../errors/errors.js';
import type { DomainModel } from '../../model/domain-model.js';
import type { EntityClass, EntityModel } from '../../model/entity-model.js';
import type { Environment, Routes } from '../../session/environment.js';
import type { Store } from '../../store/store.js';
import { Gate } from './gate.js';
import { type GateTables, gateTables } from './gate-tables.js';
import { Route } from './route.js';
import { routedStore } from './routed-store.js';

/** An entity that is moved while the application runs. It is declared for the store that it moves to. */
export interface MoveDeclaration {
  readonly entity: EntityClass;
  /** Logical name of the store that has it until then. Needs transactions. */
  readonly from: string;
}

interface Declared {
  readonly entity: EntityModel;
  readonly models: readonly EntityModel[];
  readonly from: string;
  readonly tables: GateTables;
}

export class DeclaredMoves implements Routes {
  readonly #declared: readonly Declared[];
  readonly #routes = new Map<EntityModel, { readonly route: Route; readonly store: Store }>();

  /** Throws `ConfigurationError` or `CapabilityError` for a move that could not be done while the application runs. */
  constructor(domain: DomainModel, stores: Readonly<Record<string, Store>>, moves: readonly MoveDeclaration[]) {
    const tables = new Map<string, GateTables>();
    this.#declared = moves.map(({ entity: target, from }) => {
      const entity = domain.of(target);
      const { model } = entity;
      if (model !== 'relational' && model !== 'document') {
        throw new CapabilityError(
          `${entity.name} is of the model "${model}", and only relational entities and documents can be moved while the application runs. Stop it, and use moveEntity() or "storeweave move" without --online.`,
          { entity: entity.name, store: entity.store },
        );
      }
      checkEnds(entity, from, stores);
      const models = [entity, ...ownLinks(entity)];
      checkForeignKeys(domain, models, stores[entity.store]);
      const known = tables.get(from) ?? gateTables(model, from);
      tables.set(from, known);
      return { entity, models, from, tables: known };
    });
  }

  get isEmpty(): boolean {
    return this.#declared.length === 0;
  }

  /** What a store keeps beside the entities that are declared for it. */
  entitiesIn(store: string): EntityModel[] {
    const declared = this.#declared.filter(({ from }) => from === store);
    const own = declared.flatMap(({ models, tables }) => [...models, tables.moves, tables.gates, tables.changes]);
    return [...new Set(own)];
  }

  /**
   * Once the stores are open: makes the gates ready, and learns what has been moved already. `isLenient`: where the tables
   * may not be there yet; a call for the entity then says so.
   */
  async prepare({ stores, atomicity }: Environment, isLenient: boolean): Promise<void> {
    for (const { entity, models, from, tables } of this.#declared) {
      const [source, target] = [stores.get(from), stores.get(entity.store)];
      if (source === undefined || target === undefined) continue;
      if (source.domain.begin === undefined || source.capabilities.transactions === undefined) {
        throw new CapabilityError(
          `${entity.name} cannot be moved out of "${from}" while the application runs: that store has no transactions, so a write and its entry in the log could be kept in part. Stop the application, and use moveEntity() or "storeweave move" without --online.`,
          { entity: entity.name, store: from },
        );
      }
      const fences = source.capabilities.commit?.participates === 'fence';
      if (
        fences &&
        atomicity === 'atomic' &&
        [...stores.values()].some(
          (store) => store.domain !== source.domain && store.capabilities.commit?.coordinates === true,
        )
      ) {
        throw new CapabilityError(
          `${entity.name} cannot be moved out of "${from}" while the application runs and commits over several databases: what is installed there after the decision passes no gate. Open with atomicity: 'best-effort' until the move is over, or use "storeweave move" without --online.`,
          { entity: entity.name, store: from },
        );
      }
      const route = new Route(new Gate(entity.name, tables, source), models, source, target);
      await route.prepare().catch((error: unknown) => {
        if (!isLenient) throw error;
      });
      const store = routedStore(route);
      for (const model of models) this.#routes.set(model, { route, store });
    }
  }

  /** Throws `ConfigurationError` for an entity whose move is not declared. */
  routeOf(entity: EntityModel): Route {
    const found = this.#routes.get(entity);
    if (found !== undefined) return found.route;
    throw new ConfigurationError(
      `No move of ${entity.name} is declared. Add { entity: ${entity.name}, from: '…' } to "moving", in every process that writes it, before it is moved.`,
      { entity: entity.name, store: entity.store },
    );
  }

  storeOf(entity: EntityModel): Store | undefined {
    const found = this.#routes.get(entity);
    return found === undefined || found.route.isMoved ? undefined : found.store;
  }

  pinned(): Routes | undefined {
    const now = new Map<EntityModel, Store>();
    for (const [entity, { route, store }] of this.#routes) if (!route.isMoved) now.set(entity, store);
    if (now.size === 0) return undefined;
    const pinned: Routes = { storeOf: (entity) => now.get(entity), pinned: () => pinned };
    return pinned;
  }

  end(): void {
    for (const { route } of this.#routes.values()) route.end();
  }
}

function checkEnds(entity: EntityModel, from: string, stores: Readonly<Record<string, Store>>): void {
  const source = stores[from];
  if (source === undefined) {
    throw new ConfigurationError(
      `No store is bound to "${from}", where ${entity.name} is to be moved from. Bound are: ${Object.keys(stores).join(', ')}.`,
      { entity: entity.name, store: from },
    );
  }
  if (source === stores[entity.store]) {
    throw new ConfigurationError(
      `${entity.name} is declared for "${entity.store}", which is the store that it is to be moved from. Declare it for the new store, and bind the old one to another name.`,
      { entity: entity.name, store: from },
    );
  }
}

/** Links that the entity owns live where it lives, and move with it. */
function ownLinks(entity: EntityModel): EntityModel[] {
  const links = entity.relations.flatMap(({ join }) =>
    join.via === 'link' && join.direction !== 'in' && join.link.kind === 'link' ? [join.link] : [],
  );
  return [...new Set(links)].filter((link) => link.store === entity.store && link.model === entity.model);
}

/** Rows arrive one by one and in any order, so a foreign key would refuse them, or delete others without the log. */
function checkForeignKeys(domain: DomainModel, models: readonly EntityModel[], target: Store | undefined): void {
  if (target?.capabilities.foreignKeys !== true) return;
  const relations = domain.entities.flatMap((entity) => entity.relations);
  const key = relations.find(
    ({ onDelete, owner, target: end }) => onDelete !== undefined && (models.includes(owner) || models.includes(end)),
  );
  if (key === undefined) return;
  const { name } = models[0] ?? key.owner;
  throw new CapabilityError(
    `${name} cannot be moved to "${key.owner.store}" while the application runs: ${key.owner.name}.${key.name} is a foreign key there, and rows arrive one by one. Declare it with onDelete: 'none' until the move is over, or stop the application and use "storeweave move" without --online.`,
    { entity: name, property: key.name, store: key.owner.store },
  );
}
