/**
 * One batch of a commit before it is sent: which rows of which class, in which store. Rows are put together at the last
 * moment, because keys of parents may only have been made by the batch before.
 */
import type { EntityModel } from '../model/entity-model.js';
import { type Field, isMadeByStore, type Row, type Value } from '../model/field.js';
import type { Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';
import { type DeleteChange, type InsertChange, type ParentLink, resolveParents, type UpdateChange } from './change.js';

export interface PlannedWrite {
  readonly store: Store;
  readonly entity: EntityModel;
  readonly operation: 'insert' | 'update' | 'delete';
  readonly count: number;
  /** Names of the fields written; empty for a deletion. */
  readonly fields: readonly Field[];
  /** Identities as far as they are known. */
  keys(): readonly Row[];
  toBatch(): WriteBatch;
  /** Expected version of a row of the batch, for messages. */
  expected(at: number): Value | undefined;
  /** True where a row that is not there is no conflict. */
  lenient(at: number): boolean;
  /** True where rows that are there already are to be left out, and the store cannot pass them over by itself. */
  readonly asksFirst?: boolean;
  /** True where the store makes keys or values, which batches that follow may need. */
  readonly makesValues?: boolean;
  /** Takes over what the store made: rows aligned with the batch's `returning`. */
  returned(rows: readonly Row[]): void;
}

export class PlannedInsert implements PlannedWrite {
  readonly operation = 'insert';
  readonly fields: readonly Field[];
  readonly #made: readonly Field[];

  constructor(
    readonly store: Store,
    readonly entity: EntityModel,
    private readonly changes: readonly InsertChange[],
    private readonly deferred: ReadonlyMap<InsertChange, readonly ParentLink[]>,
  ) {
    const first = changes[0]?.row;
    this.#made = entity.fields.filter((field) => isMadeByStore(field) && first?.[field.index] === undefined);
    this.fields = this.#made.length === 0 ? entity.fields : entity.fields.filter((f) => !this.#made.includes(f));
  }

  get count(): number {
    return this.changes.length;
  }

  /** Rows that are there already are passed over. */
  get #isLenient(): boolean {
    return this.changes[0]?.ifAbsent === true;
  }

  get asksFirst(): boolean {
    return this.#isLenient && !this.store.capabilities.upsert;
  }

  get makesValues(): boolean {
    return this.#made.length > 0;
  }

  keys(): readonly Row[] {
    return this.changes.map((change) => this.entity.ids.map((id) => change.row[id.index]));
  }

  toBatch(): WriteBatch {
    const whole = this.fields.length === this.entity.fields.length;
    const rows = this.changes.map((change) => {
      const later = this.deferred.get(change);
      if (change.parents.length > 0) {
        resolveParents(
          change.row,
          later === undefined ? change.parents : change.parents.filter((p) => !later.includes(p)),
        );
      }
      if (whole && later === undefined) return change.row;
      const row = this.fields.map((field) => change.row[field.index]);
      for (const link of later ?? []) for (const field of link.fields) row[this.fields.indexOf(field)] = null;
      return row;
    });
    const ignore = this.#isLenient && this.store.capabilities.upsert;
    return {
      op: 'insert',
      entity: this.entity,
      fields: this.fields,
      rows,
      ...(this.#made.length === 0 ? {} : { returning: this.#made }),
      ...(ignore ? { onConflict: { do: 'ignore' as const } } : {}),
    };
  }

  expected(): undefined {
    return undefined;
  }

  lenient(): boolean {
    return true;
  }

  returned(rows: readonly Row[]): void {
    for (const [at, change] of this.changes.entries()) {
      for (const [part, field] of this.#made.entries()) change.row[field.index] = rows[at]?.[part];
    }
  }
}

export class PlannedUpdate implements PlannedWrite {
  readonly operation = 'update';
  readonly fields: readonly Field[];

  constructor(
    readonly store: Store,
    readonly entity: EntityModel,
    private readonly changes: readonly UpdateChange[],
  ) {
    const touched = new Set<number>();
    for (const { values, parents } of changes) {
      for (let at = 0; at < values.length; at++) if (values[at] !== undefined) touched.add(at);
      for (const link of parents) for (const field of link.fields) touched.add(field.index);
    }
    this.fields = entity.fields.filter((field) => touched.has(field.index));
  }

  get count(): number {
    return this.changes.length;
  }

  keys(): readonly Row[] {
    return this.changes.map((change) => change.key);
  }

  toBatch(): WriteBatch {
    const positions = this.fields.map((field) => field.index);
    const rows = this.changes.map((change) => {
      resolveParents(change.values, change.parents);
      return positions.map((at) => change.values[at]);
    });
    const versioned = this.changes[0]?.expected !== undefined;
    return {
      op: 'update',
      entity: this.entity,
      fields: this.fields,
      rows,
      keys: this.changes.map((change) => change.key.slice()),
      ...(versioned ? { versions: this.changes.map((change) => change.expected) } : {}),
    };
  }

  expected(at: number): Value | undefined {
    return this.changes[at]?.expected;
  }

  lenient(): boolean {
    return false;
  }

  returned(): void {}
}

export class PlannedDelete implements PlannedWrite {
  readonly operation = 'delete';
  readonly fields: readonly Field[] = [];

  constructor(
    readonly store: Store,
    readonly entity: EntityModel,
    private readonly changes: readonly DeleteChange[],
  ) {}

  get count(): number {
    return this.changes.length;
  }

  keys(): readonly Row[] {
    return this.changes.map((change) => change.key);
  }

  toBatch(): WriteBatch {
    const versioned = this.changes[0]?.expected !== undefined;
    return {
      op: 'delete',
      entity: this.entity,
      keys: this.changes.map((change) => change.key.slice()),
      ...(versioned ? { versions: this.changes.map((change) => change.expected) } : {}),
    };
  }

  expected(at: number): Value | undefined {
    return this.changes[at]?.expected;
  }

  lenient(at: number): boolean {
    return this.changes[at]?.lenient ?? false;
  }

  returned(): void {}
}
