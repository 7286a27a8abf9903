/**
 * Finds what a flush has to write: new entities as rows, changed ones against the row they came from, removed ones, and
 * links. Looks at everything and assigns nothing: versions and times go into the rows, and into the instances only once
 * they are written.
 */
import type { ChangeSet, DeleteChange, InsertChange, ParentLink, UpdateChange } from '../commit/change.js';
import { InvalidStateError, NotNullViolationError } from '../errors/errors.js';
import { checkRequired, PENDING_KEY } from '../hydrate/compile-dehydrator.js';
import { type EntityCodec, entityCodec } from '../hydrate/entity-codec.js';
import type { EntityModel } from '../model/entity-model.js';
import { isMadeByStore, type Row, type Value } from '../model/field.js';
import { keyOfInstance, valueAt } from '../relations/entity-key.js';
import { containerAt } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import { type EntityState, stateOf } from './entity-state.js';
import { type LinkChange, linkRow } from './link-changes.js';
import { firstVersion, momentFor, nextVersion } from './managed-values.js';
import { keyOfTarget } from './reference-key.js';
import type { LateKey, TrackedEntities } from './tracked-entities.js';

/** New entities and their rows, position by position. */
export interface Inserted {
  readonly states: readonly EntityState[];
  readonly changes: readonly InsertChange[];
}

export interface DetectedChanges {
  readonly set: ChangeSet;
  readonly inserted: Inserted;
  readonly updated: ReadonlyMap<EntityState, UpdateChange>;
  /** Deletions, and soft ones as the update that they are. */
  readonly removed: ReadonlyMap<EntityState, DeleteChange | UpdateChange>;
  /** False where a row refers to a new entity that this flush leaves out and whose key is not known. */
  readonly complete: boolean;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface Detection {
  readonly tracked: TrackedEntities;
  readonly links: readonly LinkChange[];
  /** Rows of links that go with removed entities. */
  readonly severed: readonly DeleteChange[];
  /** Which entities are written by this flush. */
  readonly includes: (model: EntityModel) => boolean;
  /** The moment of the flush, in milliseconds since the epoch. */
  readonly now: number;
}

export function detectChanges(detection: Detection): DetectedChanges {
  const { tracked, includes } = detection;
  const inserted = insertsOf(tracked, includes, detection.now);
  const updated = new Map<EntityState, UpdateChange>();
  for (const model of tracked.identities.models()) {
    if (!includes(model)) continue;
    const codec = entityCodec(model);
    for (const state of tracked.managed(model)) {
      const change = updateOf(tracked, codec, state, detection.now, inserted);
      if (change !== undefined) updated.set(state, change);
    }
  }

  const removed = new Map<EntityState, DeleteChange | UpdateChange>();
  for (const state of tracked.doomed) {
    if (includes(state.model)) removed.set(state, removalOf(state, detection.now));
  }
  const links = detection.links.filter((change) => includes(change.link));
  const { linked, unlinked } = linkRows(links, inserted);
  const removals = [...removed.values()];
  return {
    inserted,
    updated,
    removed,
    complete: inserted.changes.every(isWritable) && linked.every(isWritable),
    set: {
      inserts: linked.length === 0 ? inserted.changes : [...inserted.changes, ...linked],
      updates: [...updated.values(), ...removals.filter((change) => change.op === 'update')],
      deletes: [
        ...removals.filter((change) => change.op === 'delete'),
        ...unlinked,
        ...withoutTwins(detection.severed, unlinked),
      ],
      notes: [],
    },
  };
}

/** Every key that is not known yet is one that this flush makes. */
function isWritable(change: InsertChange): boolean {
  const { row, entity, parents } = change;
  if (!row.includes(undefined)) return true;
  for (let at = 0; at < row.length; at++) {
    const field = entity.fields[at];
    if (row[at] !== undefined || (field !== undefined && isMadeByStore(field))) continue;
    if (!parents.some(({ fields }) => fields.some((field) => field.index === at))) return false;
  }
  return true;
}

/** Whether an entity differs from what is stored; for hooks, which only changed entities get. */
export function isChanged(state: EntityState): boolean {
  return state.row !== undefined && entityCodec(state.model).diff(state.instance, state.row, keyOfTarget) !== undefined;
}

function insertsOf(tracked: TrackedEntities, includes: Detection['includes'], now: number): Inserted {
  const states: EntityState[] = [];
  const changes: Writable<InsertChange>[] = [];
  for (const state of tracked.fresh) {
    if (!includes(state.model)) continue;
    state.position = states.length;
    states.push(state);
    changes.push(insertOf(state, now));
  }
  const inserted = { states, changes };
  for (let at = 0; at < changes.length; at++) completeInsert(tracked, inserted, at);
  return inserted;
}

function completeInsert(tracked: TrackedEntities, inserted: Inserted, at: number): void {
  const state = inserted.states[at];
  const change: Writable<InsertChange> | undefined = inserted.changes[at];
  if (state === undefined || change === undefined) return;
  change.parents = parentsOf(tracked, state, inserted, change.row);
  checkRequired(state.model, change.row, state.instance);
}

function changeOf(inserted: Inserted, state: EntityState | undefined): InsertChange | undefined {
  return state !== undefined && inserted.states[state.position] === state
    ? inserted.changes[state.position]
    : undefined;
}

function insertOf(state: EntityState, now: number): Writable<InsertChange> {
  const { model, instance } = state;
  const row = entityCodec(model).dehydrate(instance, keyOfTarget);
  if (model.version !== undefined) row[model.version.index] = firstVersion(model.version);
  for (const field of [model.createdAt, model.updatedAt]) {
    if (field !== undefined && row[field.index] === null) row[field.index] = momentFor(field, now);
  }
  return { op: 'insert', entity: model, row, parents: NO_PARENTS };
}

const NO_PARENTS: readonly ParentLink[] = Object.freeze([]);
const NO_KEYS: readonly LateKey[] = Object.freeze([]);

/** The new rows that a row refers to; keys that it has from them by plain properties are filled in. */
function parentsOf(
  tracked: TrackedEntities,
  state: EntityState,
  inserted: Inserted,
  row: Row | undefined,
): readonly ParentLink[] {
  const { model, instance } = state;
  let parents: ParentLink[] | undefined;
  for (const relation of model.relations) {
    if (relation.join.via !== 'owner') continue;
    const ref = containerAt(instance, relation);
    const target = ref instanceof Ref ? refState.target(ref) : undefined;
    if (target === undefined || target === null) continue;
    const parent = changeOf(inserted, stateOf(target));
    if (parent === undefined) continue;
    parents ??= [];
    parents.push({ parent, fields: relation.join.fields, targetFields: relation.join.targetFields });
  }
  for (const late of tracked.lateKeys.get(state) ?? NO_KEYS) {
    const parent = changeOf(inserted, late.from);
    if (parent === undefined) continue;
    parents ??= [];
    parents.push({ parent, fields: late.fields, targetFields: late.targetFields });
    for (const [part, field] of late.fields.entries()) {
      if (row !== undefined) row[field.index] = parent.row[late.targetFields[part]?.index ?? -1];
    }
  }
  return parents ?? NO_PARENTS;
}

function updateOf(
  tracked: TrackedEntities,
  codec: EntityCodec,
  state: EntityState,
  now: number,
  inserted: Inserted,
): UpdateChange | undefined {
  const { model, instance, row } = state;
  if (row === undefined) return undefined;
  const values = codec.diff(instance, row, keyOfTarget);
  const late = tracked.lateKeys.has(state);
  if (values === undefined && !late) return undefined;
  const changed = values ?? emptyRow(model);
  const { version, updatedAt } = model;
  const expected = version === undefined ? undefined : (changed[version.index] ?? row[version.index]);
  if (version !== undefined) changed[version.index] = undefined;
  if (updatedAt !== undefined) changed[updatedAt.index] = undefined;

  let parents = NO_PARENTS;
  let count = 0;
  for (const field of model.fields) {
    const value = changed[field.index];
    if (value === undefined) continue;
    count++;
    if (field.id) throw changedId(state, field.name);
    if (value === null && !field.nullable) throw missing(state, field.name);
    if (value === PENDING_KEY) changed[field.index] = undefined;
  }
  if (count > 0 || late) parents = parentsOf(tracked, state, inserted, undefined);
  if (count === 0 && parents.length === 0) return undefined;
  for (const { fields } of parents)
    for (const field of fields) if (changed[field.index] === null) changed[field.index] = undefined;
  if (version !== undefined) changed[version.index] = nextVersion(version, expected);
  if (updatedAt !== undefined) changed[updatedAt.index] = momentFor(updatedAt, now);
  return { op: 'update', entity: model, values: changed, key: keyOf(model, row), before: row, expected, parents };
}

function removalOf(state: EntityState, now: number): DeleteChange | UpdateChange {
  const { model, instance } = state;
  const row = state.row ?? [];
  const { version, softDelete, updatedAt } = model;
  const expected = version === undefined ? undefined : expectedVersion(model, instance, row);
  const key = keyOf(model, row);
  if (softDelete === undefined) {
    return { op: 'delete', entity: model, key, expected, row, lenient: version === undefined };
  }
  const values = emptyRow(model);
  values[softDelete.index] = momentFor(softDelete, now);
  if (version !== undefined) values[version.index] = nextVersion(version, expected);
  if (updatedAt !== undefined) values[updatedAt.index] = momentFor(updatedAt, now);
  return { op: 'update', entity: model, values, key, before: row, expected, parents: [] };
}

/** The version that the application last saw: its own, if it set one, as after a round trip through a form. */
function expectedVersion(model: EntityModel, instance: object, row: Row): Value {
  const { version } = model;
  if (version === undefined) return undefined;
  const own = valueAt(instance, version);
  return own === undefined || own === null ? row[version.index] : version.codec.toRow(own);
}

function linkRows(
  changes: readonly LinkChange[],
  inserted: Inserted,
): { linked: InsertChange[]; unlinked: DeleteChange[] } {
  const linked = new Map<string, InsertChange>();
  const unlinked = new Map<string, DeleteChange>();
  const numbers = new Map<EntityState, number>();
  const numberOf = (state: EntityState) => {
    const number = numbers.get(state) ?? numbers.size;
    numbers.set(state, number);
    return number;
  };
  // Both sides may have noted the same pair, and the later one holds.
  for (const change of changes.toSorted((a, b) => a.turn - b.turn)) {
    const row = linkRow(change);
    // Ends are told apart as entities: new ones may not have a key yet.
    const ends = new Map(change.ends.map(({ state, fields }) => [fields[0]?.index, numberOf(state)]));
    const identity = `${change.link.name} ${change.link.ids.map((id) => ends.get(id.index)).join()}`;
    (change.linked ? unlinked : linked).delete(identity);
    // What is stored as it is needs no write, and what no row can be of needs no deletion.
    if (change.again) continue;
    if (!change.linked) {
      if (change.ends.some(({ state }) => state.row === undefined)) continue;
      unlinked.set(identity, { op: 'delete', entity: change.link, key: keyOf(change.link, row), lenient: true });
      continue;
    }
    const parents = change.ends.flatMap(({ state, fields }): ParentLink[] => {
      const parent = changeOf(inserted, state);
      return parent === undefined ? [] : [{ parent, fields, targetFields: state.model.ids }];
    });
    linked.set(identity, { op: 'insert', entity: change.link, row, parents, ifAbsent: true });
  }
  return { linked: [...linked.values()], unlinked: [...unlinked.values()] };
}

function withoutTwins(severed: readonly DeleteChange[], others: readonly DeleteChange[]): DeleteChange[] {
  const keyText = (change: DeleteChange) =>
    `${change.entity.name} ${String(entityCodec(change.entity).keys.ofValues(change.key))}`;
  const known = new Set(others.map(keyText));
  return severed.filter((change) => {
    const text = keyText(change);
    if (known.has(text)) return false;
    known.add(text);
    return true;
  });
}

export function keyOf(model: EntityModel, row: Row): Row {
  return model.ids.map((id) => row[id.index]);
}

function emptyRow(model: EntityModel): Row {
  return new Array(model.fields.length).fill(undefined);
}

function changedId(state: EntityState, property: string): InvalidStateError {
  const { model, row } = state;
  const key = keyOf(model, row ?? []);
  return new InvalidStateError(
    `${model.name}.${property} was changed from ${key.map(String).join(', ')}, but the id of a stored entity stays what it is. Create a new ${model.name} and remove this one.`,
    { entity: model.name, property, key: key.length === 1 ? key[0] : key, store: model.store },
  );
}

function missing(state: EntityState, property: string): NotNullViolationError {
  const { model, instance } = state;
  return new NotNullViolationError(
    `${model.name}.${property} was set to nothing but is required. Give it a value, or declare it nullable.`,
    { entity: model.name, property, key: keyOfInstance(model, instance), store: model.store },
  );
}
