/**
 * Runs write batches: compiled once per shape, cut where a statement's parameters would become too large. Only inside a
 * transaction, so that nothing of a batch is kept if a part of it fails.
 */
import type {
  DeleteBatch,
  EntityModel,
  Field,
  InsertBatch,
  Row,
  Rows,
  UpdateBatch,
  Value,
  WriteBatch,
  WriteResult,
} from '@storeweave/core';
import { decodeRows } from './decode.js';
import { compileInsert, type InsertPlan } from './insert.js';
import type { Layouts } from './layout.js';
import type { SqlSession } from './session.js';
import { type ByKeyPlan, compileDelete, compileUpdate, maskOf } from './update.js';
import { PlanCache } from './write-plans.js';
import type { Writer } from './writer.js';

/** Rows of one statement at most. Beyond some thousands nothing gets faster, and memory grows. */
const ROWS_PER_STATEMENT = 10_000;
/** A batch of more rows must be written inside a transaction, because it may be cut. */
const MAX_UNCUT_ROWS = 1000;
/** Characters of one statement's parameters at most; the protocol ends at 1 GB. */
const CHARACTERS_PER_STATEMENT = 64 * 1024 * 1024;

/** How batches become statements, for tables whose fields are not all columns. */
export interface BatchCompilers {
  insert(batch: InsertBatch): InsertPlan;
  /** `masked[i]` is true where some row of the batch leaves field i as it is. */
  update(batch: UpdateBatch, masked: readonly boolean[]): ByKeyPlan;
}

export class BatchWriter implements Writer {
  readonly #inserts = new PlanCache<InsertPlan>();
  readonly #changes = new PlanCache<ByKeyPlan>();
  readonly #compilers: BatchCompilers;

  constructor(
    private readonly layouts: Layouts,
    compilers?: BatchCompilers,
  ) {
    this.#compilers = compilers ?? {
      insert: (batch) => compileInsert(batch, layouts(batch.entity)),
      update: (batch, masked) => compileUpdate(batch, masked, layouts(batch.entity)),
    };
  }

  needsTransaction(batch: WriteBatch): boolean {
    return (batch.op === 'insert' ? batch.rows.length : batch.keys.length) > MAX_UNCUT_ROWS;
  }

  write(session: SqlSession, batch: WriteBatch): Promise<WriteResult> {
    return batch.op === 'insert' ? this.#insert(session, batch) : this.#change(session, batch);
  }

  async #insert(session: SqlSession, batch: InsertBatch): Promise<WriteResult> {
    const { entity, fields, onConflict } = batch;
    const returning = batch.returning ?? [];
    const shape =
      onConflict === undefined ? '' : `${onConflict.do}:${names(onConflict.keys)}:${names(onConflict.update)}`;
    const key = `${entity.name}|${names(fields)}|${names(returning)}|${shape}`;
    const plan = this.#inserts.get(key, () => this.#compilers.insert(batch));
    let count = 0;
    const returned: Rows = [];
    for (const { values } of pieces(batch.rows.length, (from, to) => plan.values(part(batch.rows, from, to)))) {
      const result = await session.query({ text: plan.text, values, prepare: true, about: entity });
      if (plan.marksWritten) {
        for (const row of result.rows) if (row[0] === 't') count++;
        for (const row of decodeRows(result.rows, returning, 1)) returned.push(row.slice(1));
      } else {
        count += result.count;
        if (returning.length > 0) for (const row of decodeRows(result.rows, returning)) returned.push(row);
      }
    }
    return returning.length > 0 ? { count, returned } : { count };
  }

  async #change(session: SqlSession, batch: UpdateBatch | DeleteBatch): Promise<WriteResult> {
    const { entity, keys } = batch;
    if (batch.op === 'update' && batch.fields.length === 0) return { count: keys.length };
    const versions: Row[] = batch.versions?.map((version: Value) => [version]) ?? [];
    const rows = batch.op === 'update' ? batch.rows : [];
    const plan = this.#changePlan(batch, entity);
    let count = 0;
    let from = 0;
    const missed: number[] = [];
    const take = (a: number, b: number) => plan.values(part(rows, a, b), part(keys, a, b), part(versions, a, b));
    for (const { size, values } of pieces(keys.length, take)) {
      const result = await session.query({ text: plan.text, values, prepare: true, about: entity });
      count += result.count;
      if (result.rows.length < size) {
        const found = new Set(result.rows.map((row) => Number(row[0]) - 1));
        for (let i = 0; i < size; i++) if (!found.has(i)) missed.push(from + i);
      }
      from += size;
    }
    return missed.length > 0 ? { count, missed } : { count };
  }

  #changePlan(batch: UpdateBatch | DeleteBatch, entity: EntityModel): ByKeyPlan {
    const versioned = batch.versions === undefined ? '' : 'v';
    if (batch.op === 'delete') {
      return this.#changes.get(`d|${entity.name}|${versioned}`, () => compileDelete(batch, this.layouts(entity)));
    }
    const masked = maskOf(batch);
    const mask = masked.map((each) => (each ? 'm' : '-')).join('');
    const key = `u|${entity.name}|${names(batch.fields)}|${mask}|${versioned}`;
    return this.#changes.get(key, () => this.#compilers.update(batch, masked));
  }
}

function names(fields: readonly Field[] | undefined): string {
  return fields === undefined ? '*' : fields.map((field) => field.index).join(',');
}

function part<T>(list: readonly T[], from: number, to: number): readonly T[] {
  return from === 0 && to >= list.length ? list : list.slice(from, to);
}

/** The parameters of a batch, in as few pieces as its size allows; made one at a time. */
function* pieces(
  rows: number,
  build: (from: number, to: number) => string[],
): Generator<{ readonly size: number; readonly values: string[] }> {
  const ranges: [number, number][] = [];
  for (let from = 0; from < rows; from += ROWS_PER_STATEMENT)
    ranges.push([from, Math.min(rows, from + ROWS_PER_STATEMENT)]);
  if (rows <= MAX_UNCUT_ROWS && rows > 0) {
    yield { size: rows, values: build(0, rows) };
    return;
  }
  for (let range = ranges.shift(); range !== undefined; range = ranges.shift()) {
    const [from, to] = range;
    const values = build(from, to);
    const characters = values.reduce((sum, value) => sum + value.length, 0);
    if (characters > CHARACTERS_PER_STATEMENT && to - from > 1) {
      const middle = (from + to) >>> 1;
      ranges.unshift([from, middle], [middle, to]);
    } else yield { size: to - from, values };
  }
}
