/** One changed row, and how it becomes a record. Rows are aligned with all fields of their entity. */
import { timeOrderedId } from '../hydrate/time-ordered-id.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Json, Row } from '../model/field.js';
import type { Attribution } from './attribution.js';
import { clip, keyText, shownFields, storableText } from './plain-value.js';
import type { AuditPolicy } from './policy.js';

/** A row before and after a change; absent where there was none, or is none any more. */
export interface RowChange {
  readonly before?: Row;
  readonly after?: Row;
  /** What an update has written, whether it differs or not; where absent, what differs counts. */
  readonly written?: readonly Field[];
}

/** On whose behalf records are written, and in which unit of work. */
export interface Stamp extends Attribution {
  readonly unitOfWork?: string;
}

type Operation = 'insert' | 'update' | 'softDelete' | 'delete';

/** A record before it is a row of its table. */
export interface ChangeRecord {
  readonly entity: EntityModel;
  readonly operation: Operation;
  readonly key: Row;
  readonly before: Json;
  readonly after: Json;
}

/** The record of a change; undefined where nothing that is on record differs. */
export function recordOf(policy: AuditPolicy, { before, after, written }: RowChange): ChangeRecord | undefined {
  const { entity, fields } = policy;
  const row = after ?? before;
  if (row === undefined) return undefined;
  const isWhole = before === undefined || after === undefined;
  const shown = isWhole ? fields : (written ?? fields.filter((field) => differs(field, before, after)));
  if (!isWhole && shown.length === 0) return undefined;
  return {
    entity,
    operation: operationOf(entity, before, after),
    key: entity.ids.map((id) => row[id.index]),
    before: before === undefined ? null : shownFields(policy, shown, before),
    after: after === undefined ? null : shownFields(policy, shown, after),
  };
}

function operationOf({ softDelete }: EntityModel, before: Row | undefined, after: Row | undefined): Operation {
  if (before === undefined) return 'insert';
  if (after === undefined) return 'delete';
  const isMarked = (row: Row) => softDelete !== undefined && row[softDelete.index] != null;
  return isMarked(after) && !isMarked(before) ? 'softDelete' : 'update';
}

function differs(field: Field, before: Row, after: Row): boolean {
  const a = before[field.index] ?? null;
  const b = after[field.index] ?? null;
  return a !== b && (a === null || b === null || !field.codec.equals(a, b));
}

/** Rows of `AuditLog`, aligned with its fields, with the moment at which they are made. */
export function logRows(log: EntityModel, records: readonly ChangeRecord[], stamp: Stamp, ms: number): Row[] {
  const names = log.fields.map((field) => field.name);
  const behalf = onBehalf(stamp, ms);
  return records.map(({ entity, operation, key, before, after }) => {
    const values: Readonly<Record<string, unknown>> = {
      ...behalf,
      id: timeOrderedId(),
      entity: entity.name,
      key: keyText(entity, key),
      operation,
      before,
      after,
    };
    return names.map((name) => values[name] ?? null);
  });
}

/** What records of changes and of reads say alike. */
export function onBehalf({ unitOfWork, actor, reason, from }: Stamp, ms: number): Record<string, unknown> {
  return {
    unitOfWork,
    at: ms,
    actor: clipped(actor),
    reason: reason === undefined ? undefined : storableText(reason),
    region: clipped(from?.region),
    host: clipped(from?.host),
    address: clipped(from?.address),
  };
}

function clipped(text: string | undefined): string | undefined {
  return text === undefined ? undefined : clip(text);
}
