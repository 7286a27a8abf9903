/**
 * What the application did to relation containers becomes what stores can keep: references of the other side, rows of
 * links, new measurements. New entities that are reached on the way are added. Doing it twice changes nothing more, so
 * that `plan()` can look without harm; containers are only settled when a flush has written them.
 */
import { InvalidStateError } from '../errors/errors.js';
import type { RelationModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import { Collection, collectionState } from '../relations/collection.js';
import { RelationContainer } from '../relations/container.js';
import { keyOfInstance, valueAt } from '../relations/entity-key.js';
import { absorb, containerAt } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import { seriesState, TimeSeries } from '../relations/time-series.js';
import { type EntityState, stateOf } from './entity-state.js';
import { type LinkChange, LinkEntities, linkChanges, type Unlinked, unlinkChanges } from './link-changes.js';
import { neutralFields, refersTo } from './reference-key.js';
import type { TrackedEntities } from './tracked-entities.js';

export interface RelationChanges {
  readonly links: readonly LinkChange[];
  readonly unlinked: readonly Unlinked[];
}

/** Points that became entities, by their series, so that an undone flush can give them back. */
export type TakenPoints = Map<TimeSeries<object>, object[]>;

export function applyRelationChanges(tracked: TrackedEntities, taken: TakenPoints): RelationChanges {
  const links: LinkChange[] = [];
  const unlinked: Unlinked[] = [];
  const lost: (() => void)[] = [];
  const entities = new LinkEntities(tracked);
  for (const container of tracked.lent) absorb(container);
  // Grows while it is walked: an entity that is reached brings its own containers.
  for (const container of tracked.touched) {
    const owner = RelationContainer.ownerOf(container);
    const relation = RelationContainer.relationOf(container);
    const state = owner === undefined ? undefined : stateOf(owner);
    if (relation === undefined || state === undefined || !tracked.has(state.instance)) continue;
    if (container instanceof Ref) lost.push(...applyRef(tracked, container, relation, state));
    else if (container instanceof TimeSeries) applySeries(tracked, container, relation, state, taken);
    else if (container instanceof Collection) {
      applyAdded(tracked, container, relation, state, links, entities);
      lost.push(() => applyRemoved(tracked, container, relation, state, links, unlinked));
    }
  }
  // What was taken out comes last: an entity that has moved to another owner by then is no orphan.
  for (const take of lost) take();
  return { links, unlinked };
}

/** Gives what is to be done for the entity that it no longer leads to. */
function applyRef(
  tracked: TrackedEntities,
  ref: Ref<object>,
  relation: RelationModel,
  owner: EntityState,
): (() => void)[] {
  if (!refState.changed(ref)) return [];
  const target = refState.target(ref);
  const turn = refState.turn(ref);
  const previous = refState.previous(ref);
  const left = previous !== undefined && previous !== null && previous !== target ? previous : undefined;
  if (target !== undefined && target !== null) reach(tracked, target, relation);
  if (relation.join.via === 'target') {
    if (target !== undefined && target !== null) point(tracked, target, relation, owner, turn);
    return left === undefined ? [] : [() => release(tracked, left, relation, owner, turn)];
  }
  mirror(tracked, target ?? null, relation, owner);
  return left === undefined || !relation.orphanRemoval ? [] : [() => orphan(tracked, left)];
}

function applyAdded(
  tracked: TrackedEntities,
  collection: Collection<object>,
  relation: RelationModel,
  owner: EntityState,
  links: LinkChange[],
  entities: LinkEntities,
): void {
  const pending = collectionState.pending(collection);
  for (const [item, turn] of pending?.added ?? []) {
    const target = reach(tracked, item, relation);
    const again = pending?.again?.has(item) === true;
    if (relation.join.via === 'target') point(tracked, item, relation, owner, turn);
    else if (relation.join.via === 'link') {
      if (relation.join.link.kind === 'link') links.push(...linkChanges(relation, owner, target, turn, again));
      else if (!again) entities.make(relation, owner, target);
    }
  }
}

function applyRemoved(
  tracked: TrackedEntities,
  collection: Collection<object>,
  relation: RelationModel,
  owner: EntityState,
  links: LinkChange[],
  unlinked: Unlinked[],
): void {
  const pending = collectionState.pending(collection);
  if (pending === undefined || pending.replaced) return;
  for (const [item, turn] of pending.removed) {
    const target = stateOf(item);
    // Never known to a unit of work: it was put in and taken out again.
    if (target === undefined) continue;
    if (relation.join.via === 'target') release(tracked, item, relation, owner, turn);
    else if (relation.join.via === 'link') {
      if (relation.join.link.kind === 'link') links.push(...unlinkChanges(relation, owner, target, turn));
      else if (owner.row !== undefined && target.row !== undefined) unlinked.push({ relation, owner, target });
      const isNew = collectionState.isComplete(collection) && pending.unseen?.has(item) === true;
      if (relation.orphanRemoval && !isNew && target.row !== undefined) orphan(tracked, item);
    }
  }
}

function applySeries(
  tracked: TrackedEntities,
  series: TimeSeries<object>,
  relation: RelationModel,
  owner: EntityState,
  taken: TakenPoints,
): void {
  const points = seriesState.pending(series);
  if (points === undefined) return;
  const added = [...points];
  for (const given of added) {
    const isEntity = given instanceof relation.target.target;
    const instance = isEntity ? given : tracked.create(relation.target, given);
    if (isEntity) tracked.add(given);
    point(tracked, instance, relation, owner, 0);
  }
  taken.set(series, [...(taken.get(series) ?? []), ...added]);
  seriesState.settle(series, added);
}

/** Adds what a relation leads to, where it is new or from an earlier unit of work. */
function reach(tracked: TrackedEntities, target: object, relation: RelationModel): EntityState {
  const state = stateOf(target);
  if (state !== undefined && tracked.has(target)) return state;
  if (state !== undefined && tracked.orphans.has(state)) return tracked.add(target);
  if (state !== undefined && tracked.isRemoved(target)) {
    throw new InvalidStateError(
      `${relation.owner.name}.${relation.name} leads to a ${state.model.name} (${String(keyOfInstance(state.model, target))}) that is to be removed. Take it out of the relation, or add() it again.`,
      { entity: relation.owner.name, property: relation.name },
    );
  }
  if (relation.cascade.persist) return tracked.add(target);
  if (state?.row !== undefined) return state;
  throw new InvalidStateError(
    `${relation.owner.name}.${relation.name} leads to a new ${relation.target.name} that was not added, and the relation does not cascade. Call uow.add() with it first.`,
    { entity: relation.owner.name, property: relation.name },
  );
}

/** Makes an entity of the other side refer to the owner. */
function point(
  tracked: TrackedEntities,
  target: object,
  relation: RelationModel,
  owner: EntityState,
  turn: number,
): void {
  const { join } = relation;
  if (join.via !== 'target') return;
  const ref = referenceBack(target, relation);
  if (ref !== undefined) {
    // Its own side has said something else since.
    if (refState.turn(ref) > turn) return;
    if (refState.target(ref) !== owner.instance) {
      if (!refersTo(ref, owner.instance, owner, join.fields)) refState.follow(ref, owner.instance, turn);
      else refState.resolve(ref, owner.instance);
    }
    return;
  }
  const key = neutralFields(owner.instance, owner, join.fields);
  for (const [part, field] of join.targetFields.entries()) {
    if (key[part] !== undefined) assign(target, field, field.codec.fromRow(key[part]));
  }
  const state = stateOf(target);
  if (state !== undefined && owner.row === undefined) {
    tracked.addLateKey(state, { from: owner, fields: join.targetFields, targetFields: join.fields });
  }
}

/** Makes an entity of the other side refer to the owner no more, or removes it where it may not be without one. */
function release(
  tracked: TrackedEntities,
  target: object,
  relation: RelationModel,
  owner: EntityState,
  turn: number,
): void {
  const { join } = relation;
  if (join.via !== 'target' || tracked.isRemoved(target)) return;
  const state = tracked.has(target) ? stateOf(target) : tracked.add(target);
  const ref = referenceBack(target, relation);
  const key = neutralFields(owner.instance, owner, join.fields);
  const refers =
    ref === undefined
      ? join.targetFields.every((field, part) => {
          const value = valueAt(target, field);
          return value !== undefined && value !== null && field.codec.equals(field.codec.toRow(value), key[part]);
        })
      : refersTo(ref, owner.instance, owner, join.fields);
  // It was given to another owner in the meantime, or to this one again.
  if (!refers || (ref !== undefined && refState.turn(ref) > turn)) return;
  if (relation.orphanRemoval) {
    orphan(tracked, target);
    return;
  }
  if (!join.targetFields.every((field) => field.nullable)) {
    const name = ref === undefined ? join.targetFields[0]?.name : relation.inverse?.name;
    throw new InvalidStateError(
      `A ${relation.target.name} cannot be taken out of ${relation.owner.name}.${relation.name}, because ${relation.target.name}.${name} is required. Remove the ${relation.target.name}, give it to another ${relation.owner.name}, or declare orphanRemoval or nullable.`,
      { entity: relation.target.name, property: name, key: state && keyOfInstance(state.model, target) },
    );
  }
  if (ref !== undefined) refState.follow(ref, null, turn);
  else for (const field of join.targetFields) assign(target, field, null);
}

/** Keeps a key that the class has as plain properties in step with the reference. */
function mirror(tracked: TrackedEntities, target: object | null, relation: RelationModel, owner: EntityState): void {
  const { join } = relation;
  if (join.via !== 'owner' || join.fields.every((field) => field.role === 'reference')) return;
  const state = target === null ? undefined : stateOf(target);
  const key = target === null ? [] : neutralFields(target, state, join.targetFields);
  for (const [part, field] of join.fields.entries()) {
    if (field.role === 'reference') continue;
    if (target === null) assign(owner.instance, field, null);
    else if (key[part] !== undefined) assign(owner.instance, field, field.codec.fromRow(key[part]));
  }
  if (state !== undefined && state.row === undefined) {
    tracked.addLateKey(owner, { from: state, fields: join.fields, targetFields: join.targetFields });
  }
}

function referenceBack(target: object, relation: RelationModel): Ref<object> | undefined {
  const { inverse } = relation;
  const ref = inverse === undefined ? undefined : containerAt(target, inverse);
  return ref instanceof Ref && inverse?.join.via === 'owner' ? ref : undefined;
}

/** Sets a property at its path; embedded objects on the way have to be there. */
export function assign(instance: object, field: Field, value: unknown): void {
  const { path } = field;
  let holder = instance as Record<string, unknown>;
  for (let at = 0; at < path.length - 1; at++) {
    const next = holder[path[at] ?? ''];
    if (typeof next !== 'object' || next === null) return;
    holder = next as Record<string, unknown>;
  }
  holder[path[path.length - 1] ?? field.name] = value;
}

/** Removes what no owner has any more; it comes back if another one takes it before the flush. */
function orphan(tracked: TrackedEntities, instance: object): void {
  if (tracked.isRemoved(instance)) return;
  tracked.remove(instance);
  const state = stateOf(instance);
  if (state !== undefined) tracked.orphans.add(state);
}
