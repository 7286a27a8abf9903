/**
 * Records of what a flush writes, as one batch more of the same flush. They are put together when all other batches are
 * through: only then are ids known that a store makes, and keys of parents.
 */
import {
  type ChangeSet,
  type DeleteChange,
  type InsertChange,
  resolveParents,
  type UpdateChange,
} from '../commit/change.js';
import type { PlannedWrite } from '../commit/planned-write.js';
import { entityCodec } from '../hydrate/entity-codec.js';
import type { IdentityKey } from '../hydrate/identity-key.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Store } from '../store/store.js';
import type { InsertBatch } from '../store/write.js';
import type { AuditPolicies, AuditPolicy } from './policy.js';
import { type ChangeRecord, logRows, type RowChange, recordOf, type Stamp } from './row-change.js';

/** What is stored of the rows that had to be looked at first. */
export type StoredRows = ReadonlyMap<EntityModel, ReadonlyMap<IdentityKey, Row>>;

/** A change that is on record, with what was stored before it, as far as that was read. */
export interface NotedChange {
  readonly policy: AuditPolicy;
  readonly change: InsertChange | UpdateChange | DeleteChange;
  readonly stored?: Row;
}

/** Changes of a flush that are on record. */
export function notedChanges({ inserts, updates, deletes }: ChangeSet, policies: AuditPolicies): NotedChange[] {
  const noted: NotedChange[] = [];
  for (const change of [...inserts, ...updates, ...deletes]) {
    const policy = policies.get(change.entity);
    if (policy !== undefined && (change.op !== 'update' || isShown(policy, change))) noted.push({ policy, change });
  }
  return noted;
}

function isShown({ fields }: AuditPolicy, { values, parents }: UpdateChange): boolean {
  return fields.some(
    (field) => values[field.index] !== undefined || parents.some((parent) => parent.fields.includes(field)),
  );
}

/**
 * Whether the change set alone does not tell what will have changed: a row without a version may have been changed or
 * deleted by someone else, a link may exist, and a point replaces the one at its time.
 */
export function isUncertain({ change }: NotedChange): boolean {
  if (change.op === 'insert') return change.ifAbsent === true || change.entity.kind === 'measurement';
  return change.expected === undefined;
}

/** The key under which `StoredRows` has a change's row; undefined where a store has yet to make it. */
export function keyOfChange({ change }: NotedChange): Row | undefined {
  const key = change.op === 'insert' ? change.entity.ids.map((id) => change.row[id.index]) : change.key;
  return entityCodec(change.entity).keys.ofValues(key) === undefined ? undefined : key;
}

/** With what is stored of uncertain ones; those that will turn out to change nothing are left out. */
export function settledChanges(noted: readonly NotedChange[], stored: StoredRows): NotedChange[] {
  return noted.flatMap((one): NotedChange[] => {
    if (!isUncertain(one)) return [one];
    const { change } = one;
    const key = keyOfChange(one);
    const known = key === undefined ? undefined : entityCodec(change.entity).keys.ofValues(key);
    const row = known === undefined ? undefined : stored.get(change.entity)?.get(known);
    return isIdle(one, row) ? [] : [{ ...one, ...(row && { stored: row }) }];
  });
}

/** A link that is there is left as it is, and what is gone cannot be deleted; an update of it fails by itself. */
function isIdle({ policy, change }: NotedChange, stored: Row | undefined): boolean {
  if (change.op === 'delete') return stored === undefined;
  if (change.op === 'update' || stored === undefined) return false;
  return change.ifAbsent === true || recordOf(policy, { before: stored, after: change.row }) === undefined;
}

export class PlannedRecords implements PlannedWrite {
  readonly operation = 'insert';
  readonly #noted: readonly NotedChange[];
  #rows: readonly Row[] | undefined;

  constructor(
    readonly store: Store,
    readonly entity: EntityModel,
    noted: readonly NotedChange[],
    private readonly stamp: Stamp,
  ) {
    this.#noted = noted;
  }

  get fields() {
    return this.entity.fields;
  }

  get count(): number {
    return this.#noted.length;
  }

  /** Not known before the rows are put together. */
  keys(): readonly Row[] {
    return this.#rows === undefined
      ? this.#noted.map(() => this.entity.ids.map(() => undefined))
      : this.#rows.map((row) => this.entity.ids.map((id) => row[id.index]));
  }

  toBatch(): InsertBatch {
    const records = this.#noted.flatMap(({ policy, change, stored }): ChangeRecord[] => {
      const record = recordOf(policy, rowsOf(policy, change, stored));
      return record === undefined ? [] : [record];
    });
    this.#rows ??= logRows(this.entity, records, this.stamp, Date.now());
    return { op: 'insert', entity: this.entity, fields: this.entity.fields, rows: this.#rows };
  }

  expected(): undefined {
    return undefined;
  }

  lenient(): boolean {
    return true;
  }

  returned(): void {}
}

function rowsOf({ fields }: AuditPolicy, change: NotedChange['change'], stored: Row | undefined): RowChange {
  switch (change.op) {
    case 'insert': {
      const after = change.row.slice();
      resolveParents(after, change.parents);
      return { after, ...(stored && { before: stored }) };
    }
    case 'update': {
      const before = stored ?? change.before ?? [];
      const values = change.values.slice();
      resolveParents(values, change.parents);
      const after = change.entity.fields.map(({ index }) =>
        values[index] === undefined ? before[index] : values[index],
      );
      return { before, after, written: fields.filter((field) => values[field.index] !== undefined) };
    }
    case 'delete':
      return { before: stored ?? change.row ?? rowOfKey(change) };
  }
}

/** A link that was never read is known by its key, which is all it has. */
function rowOfKey({ entity, key }: DeleteChange): Row {
  const row: Row = new Array(entity.fields.length).fill(null);
  for (const [at, id] of entity.ids.entries()) row[id.index] = key[at];
  return row;
}
