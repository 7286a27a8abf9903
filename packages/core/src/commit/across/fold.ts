/**
 * A unit of work may write the same row more than once, by flushes in between. A participant is asked for one change of
 * each key, against what was there when the unit of work came: this folds the batches in their order into that.
 */
import { CapabilityError } from '../../errors/errors.js';
import type { EntityModel } from '../../model/entity-model.js';
import type { Field, Row, Value } from '../../model/field.js';
import { rowKey } from '../../store/value-key.js';
import type { InsertBatch, WriteBatch } from '../../store/write.js';

/** The change of one key. `row` is aligned with the entity's fields, `undefined` where it leaves a field as it is. */
interface Folded {
  op: WriteBatch['op'];
  readonly key: Row;
  row: Row;
  /** Version that it must have had before the unit of work. */
  readonly expected: Value | undefined;
  /** Inserted only where nothing is there. */
  readonly ifAbsent: boolean;
}

export interface FoldedBatches {
  readonly batches: readonly WriteBatch[];
  /** Batches of rows that are to be left out where they are there already. */
  readonly ifAbsent: readonly InsertBatch[];
}

/** Throws `CapabilityError` for ids that the store makes: they are not known before the decision. */
export function foldBatches(batches: readonly WriteBatch[]): FoldedBatches {
  const byEntity = new Map<EntityModel, Map<string, Folded>>();
  for (const batch of batches) {
    const { entity } = batch;
    let changes = byEntity.get(entity);
    if (changes === undefined) {
      changes = new Map();
      byEntity.set(entity, changes);
    }
    for (const change of changesOf(batch)) {
      const id = rowKey(change.key);
      const before = changes.get(id);
      const after = before === undefined ? change : combine(entity, before, change);
      if (after === undefined) changes.delete(id);
      else changes.set(id, after);
    }
  }
  const all = [...byEntity].map(([entity, changes]) => ({ entity, changes: [...changes.values()] }));
  const some = (lenient: boolean) => all.flatMap((each) => inserts(each.entity, each.changes, lenient));
  return {
    // Deletions last: what refers to a row is let go of first.
    batches: [
      ...some(false),
      ...all.flatMap(({ entity, changes }) => updates(entity, changes)),
      ...all.reverse().flatMap(({ entity, changes }) => deletes(entity, changes)),
    ],
    ifAbsent: some(true),
  };
}

function* changesOf(batch: WriteBatch): Generator<Folded> {
  const { entity } = batch;
  if (batch.op === 'insert') {
    if (batch.returning !== undefined) {
      throw new CapabilityError(
        `${entity.name} in store '${entity.store}' has a key or value that the store makes at insert (${batch.returning.map((field) => field.name).join(', ')}), which is not known before a commit over several databases is decided. Use @Id() with a UUIDv7, or write it in a unit of work of its own.`,
        { entity: entity.name, store: entity.store },
      );
    }
    for (const values of batch.rows) {
      const row = widen(entity, batch.fields, values);
      const key = entity.ids.map((id) => row[id.index]);
      yield { op: 'insert', key, row, expected: undefined, ifAbsent: batch.onConflict?.do === 'ignore' };
    }
    return;
  }
  for (const [at, key] of batch.keys.entries()) {
    const row = batch.op === 'update' ? widen(entity, batch.fields, batch.rows[at] ?? []) : [];
    yield { op: batch.op, key, row, expected: batch.versions?.[at], ifAbsent: false };
  }
}

function combine(entity: EntityModel, before: Folded, after: Folded): Folded | undefined {
  const { key, expected } = before;
  if (before.op === 'delete') {
    // Written anew under its old key: to the store it is a change of everything.
    const whole = entity.fields.map((field) => (field.id ? undefined : (after.row[field.index] ?? null)));
    return { op: 'update', key, row: whole, expected, ifAbsent: false };
  }
  if (after.op === 'delete') {
    return before.op === 'insert' ? undefined : { op: 'delete', key, row: [], expected, ifAbsent: false };
  }
  const row = before.row.map((value, at) => (after.row[at] === undefined ? value : after.row[at]));
  return { op: before.op, key, row, expected, ifAbsent: before.ifAbsent };
}

function widen(entity: EntityModel, fields: readonly Field[], values: Row): Row {
  const row: Row = new Array(entity.fields.length).fill(undefined);
  for (const [at, field] of fields.entries()) row[field.index] = values[at];
  return row;
}

function inserts(entity: EntityModel, changes: readonly Folded[], ifAbsent: boolean): InsertBatch[] {
  const rows = changes.filter((change) => change.op === 'insert' && change.ifAbsent === ifAbsent).map(({ row }) => row);
  return groupBy(rows, (row) => row.map((value) => (value === undefined ? '-' : '+')).join('')).map((group) => {
    const fields = entity.fields.filter((field) => group[0]?.[field.index] !== undefined);
    return { op: 'insert', entity, fields, rows: group.map((row) => fields.map((field) => row[field.index])) };
  });
}

function updates(entity: EntityModel, changes: readonly Folded[]): WriteBatch[] {
  const own = changes.filter((change) => change.op === 'update');
  return groupBy(own, versioned).map((group) => {
    const fields = entity.fields.filter((field) => group.some((change) => change.row[field.index] !== undefined));
    return {
      op: 'update',
      entity,
      fields,
      rows: group.map((change) => fields.map((field) => change.row[field.index])),
      ...identified(group),
    };
  });
}

function deletes(entity: EntityModel, changes: readonly Folded[]): WriteBatch[] {
  const own = changes.filter((change) => change.op === 'delete');
  return groupBy(own, versioned).map((group) => ({ op: 'delete', entity, ...identified(group) }));
}

function identified(group: readonly Folded[]) {
  const keys = group.map((change) => change.key);
  return group[0]?.expected === undefined ? { keys } : { keys, versions: group.map((change) => change.expected) };
}

function versioned(change: Folded): string {
  return change.expected === undefined ? 'any' : 'versioned';
}

function groupBy<T>(items: readonly T[], kind: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = kind(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
