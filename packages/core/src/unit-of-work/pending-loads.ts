/**
 * What a flush has to read before it can tell what to write: the stored items of a collection that was replaced unseen,
 * what a reference led to before, whatever a removal takes along, and the links of removed entities. One read for each
 * relation, however many owners it has.
 */
import type { DeleteChange } from '../commit/change.js';
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { Collection, collectionState } from '../relations/collection.js';
import { RelationContainer } from '../relations/container.js';
import { containerAt } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import type { RelationLoader } from '../relations/relation-loader.js';
import { type EntityState, stateOf } from './entity-state.js';
import type { Unlinked } from './link-changes.js';
import type { TrackedEntities } from './tracked-entities.js';

/** Reads that do not flush. */
export interface FlushReads {
  readonly loader: RelationLoader;
  /** Whole rows whose `fields` are one of `keys`. */
  rows(entity: EntityModel, fields: readonly Field[], keys: readonly Row[]): Promise<Row[]>;
}

type ByRelation = Map<RelationModel, EntityState[]>;

/** Collections that were replaced, and references that were changed, without knowing what was there. */
export function unseen(tracked: TrackedEntities): ByRelation {
  const found: ByRelation = new Map();
  for (const container of tracked.touched) {
    const relation = RelationContainer.relationOf(container);
    const owner = RelationContainer.ownerOf(container);
    const state = owner === undefined ? undefined : stateOf(owner);
    if (relation === undefined || state?.row === undefined || !tracked.has(state.instance)) continue;
    if (needsLoad(container, relation, state)) push(found, relation, state);
  }
  return found;
}

function needsLoad(container: RelationContainer, relation: RelationModel, state: EntityState): boolean {
  if (container instanceof Collection) return collectionState.pending(container)?.replaced === true;
  if (!(container instanceof Ref) || !refState.changed(container)) return false;
  if (refState.previous(container) !== undefined) return false;
  if (relation.join.via === 'target') return true;
  if (relation.join.via !== 'owner' || !relation.orphanRemoval) return false;
  return relation.join.fields.every((field) => state.row?.[field.index] !== null);
}

export async function loadUnseen(found: ByRelation, loader: RelationLoader): Promise<void> {
  for (const [relation, states] of found) {
    const owners = states.map((state) => state.instance);
    if (relation.container === 'ref') await loadPrevious(owners, relation, loader);
    else await loader.load(owners, relation);
  }
}

/** Loads what is stored, then puts the application's own target back. */
async function loadPrevious(owners: readonly object[], relation: RelationModel, loader: RelationLoader): Promise<void> {
  const refs = owners.flatMap((owner) => {
    const ref = containerAt(owner, relation);
    return ref instanceof Ref ? [{ owner, ref: ref as Ref<object>, restore: refState.save(ref) }] : [];
  });
  for (const { owner, ref } of refs) refState.refer(ref, storedKey(owner, relation));
  const previous: (object | null)[] = [];
  try {
    await loader.load(
      refs.map(({ owner }) => owner),
      relation,
    );
    for (const { ref } of refs) previous.push(refState.target(ref) ?? null);
  } finally {
    for (const { restore } of refs) restore();
  }
  for (const [at, { ref }] of refs.entries()) refState.recall(ref, previous[at] ?? null);
}

/** Undefined for the far side, whose key is not in the owner's row. */
function storedKey(owner: object, relation: RelationModel): Row | unknown {
  const row = stateOf(owner)?.row;
  if (relation.join.via !== 'owner' || row === undefined) return undefined;
  const key = relation.join.fields.map((field) => row[field.index]);
  return key.length === 1 ? key[0] : key;
}

/** Relations along which the removal of these entities goes on; loads what is not there yet. */
export async function cascadeRemoval(
  tracked: TrackedEntities,
  removed: readonly EntityState[],
  loader: RelationLoader,
): Promise<void> {
  const wanted: ByRelation = new Map();
  for (const state of removed) {
    for (const relation of state.model.relations) {
      if (relation.cascade.remove || relation.orphanRemoval) push(wanted, relation, state);
    }
  }
  for (const [relation, states] of wanted) {
    const missing = states.filter((state) => !isWhole(containerOf(state, relation)));
    if (missing.length > 0) {
      await loader.load(
        missing.map((state) => state.instance),
        relation,
      );
    }
    for (const state of states) {
      for (const target of targetsOf(containerOf(state, relation))) {
        if (!tracked.isRemoved(target)) tracked.remove(target);
      }
    }
  }
}

function containerOf(state: EntityState, relation: RelationModel): unknown {
  return containerAt(state.instance, relation);
}

function isWhole(container: unknown): boolean {
  if (container instanceof Ref) return container.isLoaded;
  return container instanceof Collection && collectionState.isComplete(container);
}

function targetsOf(container: unknown): readonly object[] {
  if (container instanceof Ref) {
    const target = refState.target(container);
    return target === undefined || target === null ? [] : [target];
  }
  if (container instanceof Collection) return [...(collectionState.items(container) ?? [])];
  return container instanceof RelationContainer && container.isLoaded && 'items' in container
    ? [...(container.items as readonly object[])]
    : [];
}

/** Rows of links that lead to removed entities and would lead to nothing. */
export async function severLinks(
  tracked: TrackedEntities,
  removed: readonly EntityState[],
  reads: FlushReads,
): Promise<DeleteChange[]> {
  const changes: DeleteChange[] = [];
  for (const { link, fields, model } of linksOf(tracked, removed)) {
    const keys = removed.filter((state) => state.model === model).map((state) => keyOfState(state));
    changes.push(...removals(tracked, link, await reads.rows(link, fields, keys)));
  }
  return changes;
}

/** Links that are entities of the application's own, taken out of a collection. */
export async function removeUnlinked(
  tracked: TrackedEntities,
  unlinked: readonly Unlinked[],
  reads: FlushReads,
): Promise<DeleteChange[]> {
  const changes: DeleteChange[] = [];
  for (const relation of new Set(unlinked.map((entry) => entry.relation))) {
    if (relation.join.via !== 'link') continue;
    const { link, ownerFields, targetFields, direction } = relation.join;
    const own = unlinked.filter((entry) => entry.relation === relation);
    const pairs = own.map((entry) => [...keyOfState(entry.owner), ...keyOfState(entry.target)]);
    const rows = await reads.rows(link, [...ownerFields, ...targetFields], pairs);
    if (direction === 'both') rows.push(...(await reads.rows(link, [...targetFields, ...ownerFields], pairs)));
    changes.push(...removals(tracked, link, rows));
  }
  return changes;
}

/** Instances that are known are removed as entities, with their hooks; other rows are just deleted. */
function removals(tracked: TrackedEntities, link: EntityModel, rows: readonly Row[]): DeleteChange[] {
  return rows.flatMap((row): DeleteChange[] => {
    const key = link.ids.map((id) => row[id.index]);
    const instance = link.kind === 'link' ? undefined : tracked.known(link, key);
    if (instance !== undefined) {
      tracked.remove(instance);
      return [];
    }
    return [{ op: 'delete', entity: link, key, row, lenient: true }];
  });
}

function linksOf(
  tracked: TrackedEntities,
  removed: readonly EntityState[],
): { link: EntityModel; fields: readonly Field[]; model: EntityModel }[] {
  const models = new Set(removed.map((state) => state.model));
  const found = new Map<Field | undefined, { link: EntityModel; fields: readonly Field[]; model: EntityModel }>();
  for (const { relations } of tracked.domain.entities) {
    for (const { join, owner, target } of relations) {
      if (join.via !== 'link') continue;
      if (models.has(owner))
        found.set(join.ownerFields[0], { link: join.link, fields: join.ownerFields, model: owner });
      if (models.has(target))
        found.set(join.targetFields[0], { link: join.link, fields: join.targetFields, model: target });
    }
  }
  for (const link of tracked.domain.entities) {
    if (link.endpoints === undefined || link.kind !== 'relationship') continue;
    for (const { entity, fields } of [link.endpoints.from, link.endpoints.to]) {
      if (models.has(entity)) found.set(fields[0], { link, fields, model: entity });
    }
  }
  return [...found.values()];
}

function keyOfState(state: EntityState): Row {
  return state.model.ids.map((id) => state.row?.[id.index]);
}

function push(map: ByRelation, relation: RelationModel, state: EntityState): void {
  const list = map.get(relation);
  if (list === undefined) map.set(relation, [state]);
  else list.push(state);
}
