/**
 * What a unit of work found to be different, row by row, before it is known in which order and batches it is written.
 * Rows are aligned with `entity.fields`. A reference to an entity that is itself new is kept as a link between changes:
 * its key may be one that the store has yet to make.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';

/** A row's reference to another new row: `fields` of this row equal `targetFields` of the parent's. */
export interface ParentLink {
  readonly parent: InsertChange;
  readonly fields: readonly Field[];
  readonly targetFields: readonly Field[];
}

export interface InsertChange {
  readonly op: 'insert';
  readonly entity: EntityModel;
  /** `undefined` for ids that the store makes, and for keys of parents not known yet; filled in as they get known. */
  readonly row: Row;
  readonly parents: readonly ParentLink[];
  /** A link that exists already is left as it is. */
  readonly ifAbsent?: boolean;
}

export interface UpdateChange {
  readonly op: 'update';
  readonly entity: EntityModel;
  /** `undefined` for fields that stay as they are. */
  readonly values: Row;
  /** Aligned with `entity.ids`. */
  readonly key: Row;
  /** What is stored, as far as known. */
  readonly before?: Row;
  /** Version that the row must have. */
  readonly expected?: Value;
  readonly parents: readonly ParentLink[];
}

export interface DeleteChange {
  readonly op: 'delete';
  readonly entity: EntityModel;
  readonly key: Row;
  readonly expected?: Value;
  /** What is stored, as far as known: tells which of several deleted rows refer to each other. */
  readonly row?: Row;
  /** True where it does not matter if the row is gone already. */
  readonly lenient: boolean;
}

export interface ChangeSet {
  readonly inserts: readonly InsertChange[];
  readonly updates: readonly UpdateChange[];
  readonly deletes: readonly DeleteChange[];
  /** What the change set could not know without reading, for people. */
  readonly notes: readonly string[];
}

/** Fills in keys that parents have got in the meantime. */
export function resolveParents(row: Row, parents: readonly ParentLink[]): void {
  for (const { parent, fields, targetFields } of parents) {
    for (let part = 0; part < fields.length; part++) {
      const at = fields[part]?.index ?? -1;
      const from = targetFields[part]?.index ?? -1;
      if (row[at] === undefined) row[at] = parent.row[from];
    }
  }
}

/** Whether every part of the parent's key is known. */
export function isResolved(link: ParentLink): boolean {
  return link.targetFields.every((field) => link.parent.row[field.index] !== undefined);
}
