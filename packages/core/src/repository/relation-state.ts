/**
 * Reads and fills the relation containers of instances for populate: which key an owner has, what is loaded already, and
 * what was found for it. Nothing else in this room touches the inside of a container.
 */
import { InvalidStateError } from '../errors/errors.js';
import type { RelationModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import { Collection, collectionState } from '../relations/collection.js';
import type { RelationContainer } from '../relations/container.js';
import { valueAt } from '../relations/entity-key.js';
import { containerAt } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import { seriesState, TimeSeries } from '../relations/time-series.js';

/** The neutral values of fields of an instance as it is now; null for an absent one. */
function neutralValues(instance: object, fields: readonly Field[]): Value[] {
  return fields.map((field) => {
    const value = valueAt(instance, field);
    if (value === null || value === undefined) return null;
    return field.codec.identity ? value : field.codec.toRow(value);
  });
}

/** The key on the owner's side of a relation. Null in it: the owner refers to nothing, or has no key yet. */
export function ownerKey(owner: object, relation: RelationModel): Value[] {
  const { join } = relation;
  if (join.via === 'link') return neutralValues(owner, relation.owner.ids);
  if (join.via === 'target') return neutralValues(owner, join.fields);
  const ref = containerOf(owner, relation);
  if (!(ref instanceof Ref)) return neutralValues(owner, join.fields);
  const key = refState.key(ref);
  if (key === null) return join.fields.map(() => null);
  if (key !== undefined) return Array.isArray(key) && join.fields.length > 1 ? [...key] : [key];
  const target = refState.target(ref);
  return target === null || target === undefined
    ? join.fields.map(() => null)
    : neutralValues(target, join.targetFields);
}

/**
 * Whether a reference already has its entity. What is kept elsewhere is never taken as known: another entity's reference
 * may have been changed since it was loaded.
 */
export function isResolved(owner: object, relation: RelationModel): boolean {
  const container = containerOf(owner, relation);
  return container instanceof Ref && refState.target(container) !== undefined;
}

/** Related entities that are in memory, whole or not. */
export function loadedItems(owner: object, relation: RelationModel): readonly object[] {
  const container = containerOf(owner, relation);
  if (container instanceof Collection) return collectionState.items(container) ?? [];
  if (container instanceof TimeSeries) return container.isLoaded ? container.get() : [];
  const target = container instanceof Ref ? refState.target(container) : undefined;
  return target === undefined || target === null ? [] : [target];
}

/** Marks the relation of an owner loaded. `complete: false` where a filter or limit left some out. */
export function resolve(owner: object, relation: RelationModel, related: readonly object[], complete: boolean): void {
  const container = containerOf(owner, relation);
  if (container instanceof Ref) refState.resolve(container, related[0] ?? null);
  else if (container instanceof Collection) collectionState.resolve(container, related, complete);
  else if (container instanceof TimeSeries) seriesState.resolve(container, related);
}

function containerOf(owner: object, relation: RelationModel): RelationContainer {
  const container = containerAt(owner, relation);
  if (container instanceof Ref || container instanceof Collection || container instanceof TimeSeries) return container;
  throw new InvalidStateError(
    `${relation.owner.name}.${relation.name} holds no ${relation.container === 'ref' ? 'Ref' : relation.container === 'series' ? 'TimeSeries' : 'Collection'} any more: it was overwritten. Change a relation through its container and leave the property itself alone.`,
    { entity: relation.owner.name, property: relation.name },
  );
}
