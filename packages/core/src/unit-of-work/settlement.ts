/**
 * Takes over what a flush has written: rows become snapshots, ids and versions get into the instances, identities into
 * the map. Every step can be undone as long as the transaction is open, so that after a rollback the caller's objects
 * are as if the flush had never been: new stays new, and the next unit of work can write them again.
 */
import { resolveParents } from '../commit/change.js';
import { entityCodec } from '../hydrate/entity-codec.js';
import type { EntityModel } from '../model/entity-model.js';
import { type Field, isMadeByStore, type Row } from '../model/field.js';
import { Collection, collectionState } from '../relations/collection.js';
import { RelationContainer } from '../relations/container.js';
import { valueAt } from '../relations/entity-key.js';
import { Ref, refState } from '../relations/ref.js';
import { seriesState } from '../relations/time-series.js';
import type { DetectedChanges } from './change-detector.js';
import type { EntityState, EntityStatus } from './entity-state.js';
import { assign, type TakenPoints } from './relation-changes.js';
import type { LateKey, TrackedEntities } from './tracked-entities.js';

/** Puts back what a flush did to objects in memory. */
export type Undo = () => void;

/** What entities were before a flush, field by field in lists: there may be many thousand, and most are never asked for. */
class Before {
  readonly #states: EntityState[] = [];
  readonly #rows: (Row | undefined)[] = [];
  readonly #statuses: EntityStatus[] = [];
  readonly #assigned: (readonly Field[])[] = [];
  /** Values of the fields that the flush assigned, one after the other. */
  readonly #values: unknown[] = [];
  readonly #late = new Map<EntityState, LateKey[]>();

  /** Notes what an entity is, and makes it what was written. */
  replace(
    state: EntityState,
    row: Row | undefined,
    status: EntityStatus,
    assigned: readonly Field[],
    late: LateKey[] | undefined,
  ): void {
    this.#states.push(state);
    this.#rows.push(state.row);
    this.#statuses.push(state.status);
    this.#assigned.push(assigned);
    if (late !== undefined) this.#late.set(state, late);
    const { instance } = state;
    for (const field of assigned) {
      this.#values.push(valueAt(instance, field));
      const value = row?.[field.index];
      assign(instance, field, value === undefined || value === null ? null : field.codec.fromRow(value));
    }
    state.row = row;
    state.status = status;
  }

  restore(tracked: TrackedEntities): void {
    for (let at = this.#states.length - 1; at >= 0; at--) {
      const state = this.#states[at];
      if (state !== undefined) this.#restoreOne(tracked, state, at);
    }
  }

  #restoreOne(tracked: TrackedEntities, state: EntityState, at: number): void {
    const assigned = this.#assigned[at] ?? [];
    const values = this.#values.splice(this.#values.length - assigned.length);
    for (const [part, field] of assigned.entries()) assign(state.instance, field, values[part]);
    tracked.identities.delete(state);
    const row = this.#rows[at];
    state.row = row;
    state.status = this.#statuses[at] ?? 'new';
    const late = this.#late.get(state);
    if (late !== undefined) tracked.lateKeys.set(state, late);
    if (state.status === 'new') tracked.fresh.add(state);
    else if (state.status === 'removed') tracked.doomed.add(state);
    const key = row === undefined ? undefined : entityCodec(state.model).keys.ofRow(row);
    if (key !== undefined) tracked.identities.set(state, key);
  }
}

export function settleEntities(tracked: TrackedEntities, detected: DetectedChanges): Undo {
  const before = new Before();
  for (const [at, state] of detected.inserted.states.entries()) {
    const change = detected.inserted.changes[at];
    if (change === undefined) continue;
    // References that were written as null first have their key by now.
    if (change.parents.length > 0) resolveParents(change.row, change.parents);
    const late = tracked.lateKeys.get(state);
    before.replace(state, change.row, 'managed', withLate(madeFields(state.model), late), late);
    tracked.fresh.delete(state);
    tracked.lateKeys.delete(state);
    const key = entityCodec(state.model).keys.ofRow(change.row);
    if (key !== undefined) tracked.identities.set(state, key);
  }
  for (const [state, change] of detected.updated) {
    const late = tracked.lateKeys.get(state);
    const assigned = withLate(changedFields(state.model), late);
    before.replace(state, merged(state.row, change.values), 'managed', assigned, late);
    tracked.lateKeys.delete(state);
  }
  for (const [state, change] of detected.removed) {
    const row = change.op === 'update' ? merged(state.row, change.values) : state.row;
    const { softDelete, version, updatedAt } = state.model;
    const assigned = change.op === 'update' ? [softDelete, version, updatedAt].filter((f) => f !== undefined) : [];
    before.replace(state, row, 'deleted', assigned, undefined);
    tracked.doomed.delete(state);
    tracked.orphans.delete(state);
    tracked.identities.delete(state);
  }
  return () => before.restore(tracked);
}

/** Fields that a flush assigns to a new instance. */
function madeFields(model: EntityModel): readonly Field[] {
  let fields = made.get(model);
  if (fields === undefined) {
    const { version, createdAt, updatedAt } = model;
    fields = model.fields.filter(
      (field) => isMadeByStore(field) || field === version || field === createdAt || field === updatedAt,
    );
    made.set(model, fields);
  }
  return fields;
}

const made = new WeakMap<EntityModel, readonly Field[]>();

/** Fields that a flush assigns to a changed instance. */
function changedFields({ version, updatedAt }: EntityModel): readonly Field[] {
  return [version, updatedAt].filter((field) => field !== undefined);
}

function withLate(fields: readonly Field[], late: readonly LateKey[] | undefined): readonly Field[] {
  if (late === undefined) return fields;
  return [...fields, ...late.flatMap((key) => key.fields.filter((field) => field.role !== 'reference'))];
}

function merged(row: Row | undefined, values: Row): Row {
  const next = row === undefined ? [] : row.slice();
  for (let at = 0; at < values.length; at++) if (values[at] !== undefined) next[at] = values[at];
  return next;
}

/**
 * Containers whose changes were detected are settled before anything is sent, so that what the application changes while
 * the flush is under way is left for the next one.
 */
export function settleContainers(
  tracked: TrackedEntities,
  taken: TakenPoints,
  includes: (model: EntityModel) => boolean,
): Undo {
  const restore: Undo[] = [];
  for (const container of [...tracked.touched]) {
    // Links into a store that this flush leaves out stay pending; anything else lives on in the entities themselves.
    const join = RelationContainer.relationOf(container)?.join;
    if (join?.via === 'link' && !includes(join.link)) continue;
    const undo = settleContainer(container);
    tracked.touched.delete(container);
    restore.push(() => {
      undo();
      tracked.touched.add(container);
    });
  }
  const points = new Map(taken);
  taken.clear();
  return () => {
    for (const undo of restore) undo();
    returnPoints(points);
  };
}

/** Points that were made entities are points again. */
export function returnPoints(taken: TakenPoints): void {
  for (const [series, added] of taken) seriesState.restore(series, added);
}

function settleContainer(container: RelationContainer): Undo {
  if (container instanceof Ref) {
    const undo = refState.save(container);
    refState.settle(container);
    return undo;
  }
  if (container instanceof Collection) {
    const undo = collectionState.save(container);
    collectionState.settle(container);
    return undo;
  }
  return () => {};
}
