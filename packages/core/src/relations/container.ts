/**
 * What the three relation containers have in common: the owner they hang on, the relation they stand for, and how they
 * appear in JSON. State is in private fields, so that a container adds nothing enumerable to its owner and neither
 * printing, comparing nor copying an entity walks into the unit of work.
 */
import { InvalidStateError, RelationNotLoadedError } from '../errors/errors.js';
import type { RelationModel } from '../model/entity-model.js';
import type { RelationBinding } from './relation-loader.js';

/** Changes of any container so far. */
let turns = 0;

/** Base of `Ref`, `Collection` and `TimeSeries`. */
export abstract class RelationContainer {
  #owner: object | undefined;
  #binding: RelationBinding | undefined;

  /** True where the related entities are known without a query. */
  abstract get isLoaded(): boolean;

  /**
   * What `JSON.stringify` sees: loaded entities in full, a `Ref` that is not loaded as its key, anything else that is
   * not loaded not at all. An entity that would contain itself appears as its key there.
   */
  toJSON(): unknown {
    return this.serialize(this.#owner === undefined ? [] : [this.#owner]);
  }

  protected abstract serialize(ancestors: readonly object[]): unknown;

  protected get owner(): object | undefined {
    return this.#owner;
  }

  protected get binding(): RelationBinding | undefined {
    return this.#binding;
  }

  /**
   * To be called by every change that the application makes. Gives its turn: where both sides of a relation say
   * different things, the later one holds.
   */
  protected touch(): number {
    this.#binding?.touched.add(this);
    turns += 1;
    return turns;
  }

  protected requireBinding(what: string): { readonly owner: object } & Pick<RelationBinding, 'relation' | 'loader'> {
    if (this.#owner === undefined || this.#binding === undefined) {
      throw new InvalidStateError(
        `A ${this.constructor.name} cannot ${what} before its owner belongs to a unit of work; add the owner first with uow.add().`,
      );
    }
    return { owner: this.#owner, relation: this.#binding.relation, loader: this.#binding.loader };
  }

  protected notLoaded(): RelationNotLoadedError {
    const relation = this.#binding?.relation;
    const name = relation?.name ?? 'relation';
    const entity = relation?.owner.name ?? 'The owner';
    return new RelationNotLoadedError(
      `${entity}.${name} was read before it was loaded. Find the owner with populate: ['${name}'], or await .${name}.load() first.`,
      relation === undefined ? {} : { entity: relation.owner.name, property: relation.name },
    );
  }

  /** Ties a container to its owner; again when the owner moves to another unit of work. */
  static attach(container: RelationContainer, owner: object, binding: RelationBinding): void {
    container.#owner = owner;
    container.#binding = binding;
  }

  /** The application holds an array of this container's. */
  static lend(container: RelationContainer): void {
    container.#binding?.lent?.add(container);
  }

  static ownerOf(container: RelationContainer): object | undefined {
    return container.#owner;
  }

  static relationOf(container: RelationContainer): RelationModel | undefined {
    return container.#binding?.relation;
  }

  /** JSON of an entity inside a container, cut where it would contain itself. */
  protected static entityToJson(
    entity: object,
    ancestors: readonly object[],
    key: (entity: object) => unknown,
  ): unknown {
    if (ancestors.includes(entity)) return key(entity);
    const own = 'toJSON' in entity && typeof entity.toJSON === 'function' ? entity.toJSON() : entity;
    if (typeof own !== 'object' || own === null) return own;
    const path = [...ancestors, entity];
    const out: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(own)) {
      out[name] = value instanceof RelationContainer ? value.serialize(path) : value;
    }
    return out;
  }
}
