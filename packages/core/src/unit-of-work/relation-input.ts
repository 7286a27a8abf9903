/**
 * Gives a new owner its relation containers and fills them with what the caller wrote: an entity or an id for a
 * reference, arrays for collections, or a container that the class made itself.
 */
import { InvalidValueError } from '../errors/errors.js';
import { newContainer } from '../hydrate/compile-hydrator.js';
import type { RelationModel } from '../model/entity-model.js';
import type { Row, Value } from '../model/field.js';
import { Collection, collectionState } from '../relations/collection.js';
import { RelationContainer } from '../relations/container.js';
import { absorb, keyIn, openSlots, placeContainer, presentAt } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import type { RelationBinding } from '../relations/relation-loader.js';
import { seriesState, TimeSeries } from '../relations/time-series.js';

/** Attaches every relation of a new owner; `values` is what the caller gave (the owner itself, if it was constructed). */
export function attachNew(owner: object, values: object, bindings: readonly RelationBinding[]): void {
  const given = values as Record<string, unknown>;
  const target = owner as Record<string, unknown>;
  for (const binding of bindings) {
    const { relation } = binding;
    const { name } = relation;
    const value = given[name] === undefined ? target[name] : given[name];
    const container = isContainer(value) ? takeOver(owner, value, binding) : newContainer(owner, binding);
    if (value !== undefined && value !== container) fill(container, value, relation);
    placeContainer(owner, relation, container, bindings, value);
    if (isChanged(container)) binding.touched.add(container);
  }
}

/** Ties the containers of an owner that was in another unit of work to this one. */
export function attachAgain(owner: object, bindings: readonly RelationBinding[]): void {
  if (bindings.some(({ relation }) => relation.plain === true)) openSlots(owner, bindings);
  for (const binding of bindings) {
    const container = presentAt(owner, binding.relation);
    if (!isContainer(container)) continue;
    RelationContainer.attach(container, owner, binding);
    if (binding.relation.plain === true) {
      absorb(container);
      RelationContainer.lend(container);
    }
    if (isChanged(container)) binding.touched.add(container);
  }
}

export function isChanged(container: RelationContainer): boolean {
  if (container instanceof Ref) return refState.changed(container);
  if (container instanceof Collection) return collectionState.pending(container) !== undefined;
  return container instanceof TimeSeries && seriesState.pending(container) !== undefined;
}

function isContainer(value: unknown): value is RelationContainer {
  return value instanceof RelationContainer;
}

/** A container made by the class or taken from another entity. The latter stays where it is, and its content is copied. */
function takeOver(owner: object, container: RelationContainer, binding: RelationBinding): RelationContainer {
  const { relation } = binding;
  const fits =
    relation.container === 'ref'
      ? container instanceof Ref
      : relation.container === 'collection'
        ? container instanceof Collection
        : container instanceof TimeSeries;
  if (!fits) throw misfit(relation, container, 'a container of another kind');
  const present = RelationContainer.ownerOf(container);
  if (present !== undefined && present !== owner) return newContainer(owner, binding);
  RelationContainer.attach(container, owner, binding);
  if (container instanceof Collection) collectionState.initialize(container);
  if (container instanceof Ref && refState.target(container) === undefined && refState.key(container) === undefined) {
    refState.refer(container, null);
  }
  return container;
}

function fill(container: RelationContainer, value: unknown, relation: RelationModel): void {
  if (container instanceof Ref) fillRef(container, value, relation);
  else if (container instanceof Collection) container.add(...entitiesOf(value, relation));
  else if (container instanceof TimeSeries) container.add(...entitiesOf(value, relation));
}

function fillRef(ref: Ref<object>, value: unknown, relation: RelationModel): void {
  const target = value instanceof Ref ? refState.target(value) : value;
  if (target === null || target instanceof relation.target.target) {
    ref.set(target);
  } else if (relation.join.via !== 'owner') {
    throw misfit(relation, value, `a ${relation.target.name}, since its key is kept in the ${relation.target.name}`);
  } else if (value instanceof Ref) {
    refState.refer(ref, refState.key(value) ?? null);
  } else {
    refState.refer(ref, keyFrom(value, relation));
  }
}

/** Neutral key from an id as the application writes it: one value, or an object by property for a composite one. */
function keyFrom(value: unknown, relation: RelationModel): Value | Row {
  const plain = relation.plain === true ? keyIn(value, relation) : undefined;
  if (plain !== undefined) return plain.length === 1 ? plain[0] : plain;
  const fields = relation.join.via === 'owner' ? relation.join.targetFields : relation.target.ids;
  const [single] = fields;
  if (fields.length === 1 && single !== undefined) {
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      throw misfit(relation, value, `a ${relation.target.name} or its ${single.name}`);
    }
    return single.codec.toRow(value);
  }
  if (typeof value !== 'object' || value === null) {
    throw misfit(relation, value, `a ${relation.target.name} or its key { ${fields.map((f) => f.name).join(', ')} }`);
  }
  return fields.map((field) => {
    const part = (value as Record<string, unknown>)[field.name];
    if (part === undefined || part === null) throw misfit(relation, value, `a whole key; ${field.name} is missing`);
    return field.codec.toRow(part);
  });
}

function entitiesOf(value: unknown, relation: RelationModel): object[] {
  if (value instanceof Collection || value instanceof TimeSeries) return [...value.get()];
  if (value === null) return [];
  if (typeof value === 'object' && Symbol.iterator in value) return [...(value as Iterable<object>)];
  throw misfit(relation, value, `an array of ${relation.target.name}`);
}

function misfit(relation: RelationModel, value: unknown, expected: string): InvalidValueError {
  const text = typeof value === 'object' && value !== null ? `an object of ${value.constructor?.name}` : String(value);
  return new InvalidValueError(`${relation.owner.name}.${relation.name} takes ${expected}, not ${text}.`, {
    entity: relation.owner.name,
    property: relation.name,
  });
}
