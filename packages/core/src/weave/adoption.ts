/** Asks each store which of its classes it knows by the decorators of its own library. */
import { placeOf } from '../metadata/collect.js';
import type { EntityClass } from '../model/entity-model.js';
import type { AdoptedEntities, AdoptedEntity } from '../store/adopted.js';
import type { Store } from '../store/store.js';

export async function adoptEntities(
  entities: readonly EntityClass[],
  stores: Readonly<Record<string, Store>>,
): Promise<AdoptedEntities> {
  const adopted = new Map<EntityClass, AdoptedEntity>();
  const asked = new Map<Store, EntityClass[]>();
  for (const target of entities) {
    const name = placeOf(target);
    const store = name === undefined ? undefined : stores[name];
    if (store?.adopt !== undefined) asked.set(store, [...(asked.get(store) ?? []), target]);
  }
  for (const [store, classes] of asked) {
    for (const [target, entity] of (await store.adopt?.(classes)) ?? []) adopted.set(target, entity);
  }
  return adopted;
}
