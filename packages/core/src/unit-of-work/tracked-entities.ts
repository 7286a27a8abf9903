/**
 * The entities of one unit of work: which it has, which are new, which are to go, and which relation containers were
 * touched. Knows nothing of stores; what is different, and how it is written, is for others to find from here.
 */
import { InvalidStateError, InvalidValueError } from '../errors/errors.js';
import { emptyContainer } from '../hydrate/compile-hydrator.js';
import { entityCodec } from '../hydrate/entity-codec.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { RelationContainer } from '../relations/container.js';
import { keyOfInstance, valueAt } from '../relations/entity-key.js';
import { placeContainer, presentAt } from '../relations/plain.js';
import type { RelationBinding, RelationLoader } from '../relations/relation-loader.js';
import { type EntityHolder, EntityState, stateOf } from './entity-state.js';
import { IdentityMap } from './identity-map.js';
import { runHooksNow } from './life-cycle.js';
import { attachAgain, attachNew } from './relation-input.js';

/** A key that a new entity has from another one, by a plain property: known only when that one is written. */
export interface LateKey {
  readonly from: EntityState;
  readonly fields: readonly Field[];
  readonly targetFields: readonly Field[];
}

export class TrackedEntities implements EntityHolder {
  readonly identities = new IdentityMap();
  readonly fresh = new Set<EntityState>();
  readonly doomed = new Set<EntityState>();
  /** Of the doomed: those that are only removed because no owner has them. */
  readonly orphans = new Set<EntityState>();
  readonly touched = new Set<RelationContainer>();
  /** Containers of which the application holds an array. */
  readonly lent = new Set<RelationContainer>();
  readonly lateKeys = new Map<EntityState, LateKey[]>();
  readonly #bindings = new Map<EntityModel, readonly RelationBinding[]>();

  constructor(
    readonly domain: DomainModel,
    private readonly loader: RelationLoader,
    /** False for entities that belong to no unit of work: another may take them over at any time. */
    public holds: boolean,
  ) {}

  /** Rows become instances; one that is known already is returned as it is, unless it is to be refreshed. */
  materialize(model: EntityModel, rows: readonly Row[], refresh = false): object[] {
    const codec = entityCodec(model);
    const known = this.identities.of(model);
    const bindings = this.bindings(model);
    const hooked = model.hooks.has('afterLoad');
    const instances = new Array<object>(rows.length);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] ?? [];
      const key = codec.keys.ofRow(row);
      let state = key === undefined ? undefined : known.get(key);
      if (state === undefined) {
        state = new EntityState(model, codec.make(row, bindings), 'managed', row, this);
        state.key = key;
        if (key !== undefined) known.set(key, state);
        if (hooked) runHooksNow(model, 'afterLoad', state.instance);
      } else if (refresh && state.status === 'managed') {
        codec.fill(state.instance, row, bindings);
        state.row = row;
        if (hooked) runHooksNow(model, 'afterLoad', state.instance);
      }
      instances[at] = state.instance;
    }
    return instances;
  }

  known(model: EntityModel, key: Row): object | undefined {
    const found = entityCodec(model).keys.ofValues(key);
    const state = found === undefined ? undefined : this.identities.of(model).get(found);
    return state === undefined || state.status === 'removed' ? undefined : state.instance;
  }

  isRemoved(instance: object): boolean {
    const state = stateOf(instance);
    return state !== undefined && state.holder === this && (state.status === 'removed' || state.status === 'deleted');
  }

  has(instance: object): boolean {
    const state = stateOf(instance);
    if (state === undefined || state.holder !== this) return false;
    return state.status === 'managed' || (state.status === 'new' && this.fresh.has(state));
  }

  /** A new entity with these values, its defaults, its id and its containers. */
  create(model: EntityModel, data: object): object {
    const instance = entityCodec(model).create(data);
    this.#begin(model, instance, data);
    return instance;
  }

  /** Takes an entity in: new, or from an earlier unit of work. One that was to be removed is kept again. */
  add(instance: object): EntityState {
    const model = this.modelOf(instance);
    const state = stateOf(instance);
    if (state === undefined || state.model !== model) {
      entityCodec(model).complete(instance);
      return this.#begin(model, instance, instance);
    }
    if (state.holder === this) {
      if (state.status === 'removed') {
        state.status = 'managed';
        this.doomed.delete(state);
        this.orphans.delete(state);
      } else if (state.status === 'deleted') this.#renew(state);
      else if (state.status === 'new') this.fresh.add(state);
      return state;
    }
    this.#adopt(state);
    return state;
  }

  /** Marks an entity for deletion; one that was never written is simply let go. */
  remove(instance: object): void {
    const model = this.modelOf(instance);
    let state = stateOf(instance);
    if (state === undefined) {
      throw new InvalidStateError(
        `This ${model.name} (${String(keyOfInstance(model, instance))}) was neither loaded nor added, so it cannot be removed. Find it first, or delete by filter with repository.delete().`,
        { entity: model.name, key: keyOfInstance(model, instance) },
      );
    }
    if (state.holder !== this) state = this.add(instance);
    if (state.status === 'new') this.forget(state);
    else if (state.status === 'managed') {
      state.status = 'removed';
      this.doomed.add(state);
    }
  }

  /** Lets an entity go without writing anything of it. */
  forget(state: EntityState): void {
    this.identities.delete(state);
    this.fresh.delete(state);
    this.doomed.delete(state);
    this.orphans.delete(state);
    this.lateKeys.delete(state);
    if (state.status === 'removed') state.status = 'managed';
    if (state.holder === this) state.holder = undefined;
  }

  /** Gives up what was changed on the relations of an entity, and what of them is loaded. */
  reset(state: EntityState): void {
    const bindings = this.bindings(state.model);
    for (const binding of bindings) {
      const present = presentAt(state.instance, binding.relation);
      if (present instanceof RelationContainer) {
        this.touched.delete(present);
        this.lent.delete(present);
      }
      placeContainer(state.instance, binding.relation, emptyContainer(state.instance, binding), bindings);
    }
  }

  /** Lets everything go; the entities can be taken over by another unit of work, new ones as new. */
  end(): void {
    this.holds = false;
    for (const state of this.doomed) state.status = 'managed';
    this.doomed.clear();
    this.orphans.clear();
    this.fresh.clear();
    this.touched.clear();
    this.lent.clear();
    this.lateKeys.clear();
    this.identities.clear();
  }

  /** Stored entities of one class. */
  *managed(model: EntityModel): Generator<EntityState> {
    for (const state of this.identities.of(model).values()) if (state.status === 'managed') yield state;
  }

  bindings(model: EntityModel): readonly RelationBinding[] {
    let bindings = this.#bindings.get(model);
    if (bindings === undefined) {
      const { loader, touched, lent } = this;
      bindings = model.relations.map((relation) => ({ relation, loader, touched, lent }));
      this.#bindings.set(model, bindings);
    }
    return bindings;
  }

  modelOf(instance: unknown): EntityModel {
    if (typeof instance !== 'object' || instance === null) {
      throw new InvalidValueError(`An entity was expected, not ${String(instance)}.`);
    }
    return stateOf(instance)?.model ?? this.domain.of(instance.constructor as EntityClass);
  }

  /** Notes that a plain property of a new or stored entity has its value from another entity. */
  addLateKey(state: EntityState, key: LateKey): void {
    const keys = this.lateKeys.get(state) ?? [];
    if (!keys.some((other) => other.from === key.from && other.fields === key.fields)) keys.push(key);
    this.lateKeys.set(state, keys);
  }

  #begin(model: EntityModel, instance: object, values: object): EntityState {
    attachNew(instance, values, this.bindings(model));
    const state = new EntityState(model, instance, 'new', undefined, this);
    this.fresh.add(state);
    this.#registerSimple(state);
    return state;
  }

  #adopt(state: EntityState): void {
    if (state.holder?.holds === true) {
      throw new InvalidStateError(
        `This ${state.model.name} (${String(keyOfInstance(state.model, state.instance))}) belongs to another unit of work that is not over. Commit or dispose of that one first, or find the entity again here.`,
        { entity: state.model.name, key: keyOfInstance(state.model, state.instance) },
      );
    }
    if (state.row !== undefined) {
      const key = entityCodec(state.model).keys.ofRow(state.row);
      const present = key === undefined ? undefined : this.identities.of(state.model).get(key);
      if (present !== undefined && present !== state) throw this.#twin(state);
      if (key !== undefined) this.identities.set(state, key);
      state.status = 'managed';
    }
    state.holder = this;
    attachAgain(state.instance, this.bindings(state.model));
    if (state.row !== undefined) return;
    state.status = 'new';
    this.fresh.add(state);
    this.#registerSimple(state);
  }

  #renew(state: EntityState): void {
    state.status = 'new';
    state.row = undefined;
    this.fresh.add(state);
    this.#registerSimple(state);
  }

  /** A new entity with one id that has a value can be found by it before it is written. */
  #registerSimple(state: EntityState): void {
    const { ids } = state.model;
    const [id] = ids;
    if (id === undefined || ids.length !== 1 || id.role === 'reference') return;
    const value = valueAt(state.instance, id);
    if (value === undefined || value === null) return;
    const key = entityCodec(state.model).keys.ofValues([id.codec.identity ? value : id.codec.toRow(value)]);
    if (key === undefined) return;
    if (!this.identities.claim(state, key)) {
      this.fresh.delete(state);
      throw this.#twin(state);
    }
  }

  #twin(state: EntityState): InvalidStateError {
    const key = keyOfInstance(state.model, state.instance);
    return new InvalidStateError(
      `Another instance of ${state.model.name} with the key ${String(key)} is in this unit of work. Change that one, or detach() it first.`,
      { entity: state.model.name, key },
    );
  }
}
