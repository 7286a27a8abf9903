/** One instance for each identity: whoever finds the same row twice in a unit of work gets the same object. */
import type { IdentityKey } from '../hydrate/identity-key.js';
import type { EntityModel } from '../model/entity-model.js';
import type { EntityState } from './entity-state.js';

export class IdentityMap {
  readonly #byEntity = new Map<EntityModel, Map<IdentityKey, EntityState>>();

  /** All entities of one class by key. */
  of(model: EntityModel): Map<IdentityKey, EntityState> {
    let map = this.#byEntity.get(model);
    if (map === undefined) {
      map = new Map();
      this.#byEntity.set(model, map);
    }
    return map;
  }

  models(): Iterable<EntityModel> {
    return this.#byEntity.keys();
  }

  set(state: EntityState, key: IdentityKey): void {
    if (state.key !== undefined && state.key !== key) this.delete(state);
    state.key = key;
    this.of(state.model).set(key, state);
  }

  /** The same, unless another entity has the key: then false, and nothing is changed. */
  claim(state: EntityState, key: IdentityKey): boolean {
    const map = this.of(state.model);
    const present = map.get(key);
    if (present !== undefined) return present === state;
    if (state.key !== undefined) map.delete(state.key);
    state.key = key;
    map.set(key, state);
    return true;
  }

  delete(state: EntityState): void {
    if (state.key === undefined) return;
    const map = this.of(state.model);
    if (map.get(state.key) === state) map.delete(state.key);
    state.key = undefined;
  }

  clear(): void {
    this.#byEntity.clear();
  }
}
