/**
 * Write batches where the server returns no positions: the rows that are there with the expected version are found and
 * held first, then written. Two statements whatever the number of rows, in one transaction.
 */
import type {
  DeleteBatch,
  Field,
  InsertBatch,
  Row,
  Rows,
  UpdateBatch,
  WriteBatch,
  WriteResult,
} from '@storeweave/core';
import { decodeColumns } from '../decode.js';
import type { Dialect } from '../dialect.js';
import type { Layouts, TableLayout } from '../layout.js';
import type { SqlSession } from '../session.js';
import { maskOf } from '../update.js';
import type { Writer } from '../writer.js';
import { type ConflictParts, conflictParts } from './conflict.js';
import { type Piece, pieces, ROWS_PER_STATEMENT } from './packed.js';
import type { Assignment, BatchColumn, WriteDialect } from './write-dialect.js';

/** Another process may insert a key between our look and our insert; by then it can be seen. */
const UPSERT_TRIES = 3;

export class PortableWriter implements Writer {
  constructor(
    private readonly layouts: Layouts,
    private readonly dialect: Dialect,
    private readonly writes: WriteDialect,
  ) {}

  needsTransaction(batch: WriteBatch): boolean {
    return batch.op !== 'insert' || batch.onConflict !== undefined || batch.rows.length > ROWS_PER_STATEMENT;
  }

  async write(session: SqlSession, batch: WriteBatch): Promise<WriteResult> {
    if (batch.op === 'insert') return this.#insert(session, batch);
    if (batch.op === 'update' && batch.fields.length === 0) return { count: batch.keys.length };
    return this.#change(session, batch);
  }

  async #insert(session: SqlSession, batch: InsertBatch): Promise<WriteResult> {
    const returning = batch.returning ?? [];
    const returned: Rows = [];
    let count = 0;
    for (const piece of this.#pieces(batch, batch.fields, batch.rows)) {
      if (batch.onConflict === undefined) {
        const made = await this.#insertPlain(session, batch, piece, returning);
        count += made.count;
        returned.push(...made.returned);
        continue;
      }
      const parts = conflictParts(batch, batch.onConflict, this.dialect);
      count += await this.#upsert(session, batch, piece, parts);
      if (returning.length > 0) returned.push(...(await this.#readBack(session, batch, piece, parts.keys, returning)));
    }
    return returning.length > 0 ? { count, returned } : { count };
  }

  async #insertPlain(
    session: SqlSession,
    batch: InsertBatch,
    piece: Piece,
    returning: readonly Field[],
  ): Promise<{ readonly count: number; readonly returned: Rows }> {
    const clause = returning.map((field) => this.dialect.selected(this.dialect.quote(field.column), field)).join(', ');
    const tail = returning.length === 0 ? '' : ` returning ${clause}`;
    const result = await this.#send(session, batch, this.#insertText(batch, tail), piece);
    const returned = decodeColumns(
      result.rows,
      returning.map((field) => this.dialect.decoder(field)),
    );
    // Keys are counted up in the order of the rows; the order of an answer is nobody's promise.
    const at = returning.findIndex((field) => field.generated === 'sequence');
    if (at >= 0) returned.sort((a, b) => (Number(a[at]) < Number(b[at]) ? -1 : 1));
    return { count: returning.length > 0 ? returned.length : result.count, returned };
  }

  #insertText({ entity, fields }: InsertBatch, tail: string): string {
    const { quote } = this.dialect;
    const { table, part } = this.layouts(entity);
    const sequence = entity.ids.find((id) => id.generated === 'sequence');
    const columns = fields.length > 0 ? fields.map((field) => quote(field.column)) : [quote(sequence?.column ?? '')];
    const values = fields.length > 0 ? fields.map((field, i) => this.writes.column(i, field)) : ['null'];
    if (part !== undefined) {
      columns.push(part.column);
      values.push(part.value);
    }
    const from = `${this.writes.source(fields)} where true order by u.sw_n`;
    return `insert into ${table} (${columns.join(', ')}) select ${values.join(', ')} from ${from}${tail}`;
  }

  async #upsert(session: SqlSession, batch: InsertBatch, piece: Piece, parts: ConflictParts): Promise<number> {
    const { onConflict } = this.writes;
    if (onConflict !== undefined) {
      const tail = onConflict(parts.columns, parts.where, parts.native);
      return (await this.#send(session, batch, this.#insertText(batch, ` ${tail}`), piece)).count;
    }
    for (let tries = 1; ; tries++) {
      const there = await this.#positions(session, batch, piece, batch.fields, parts.keys);
      try {
        return await session.attempt(() => this.#splitUpsert(session, batch, piece.rows, parts, there));
      } catch (error) {
        // The conflict may be one with a row that came in between, which the next look finds.
        const now = await this.#positions(session, batch, piece, batch.fields, parts.keys);
        if (tries === UPSERT_TRIES || now.size === there.size) throw error;
      }
    }
  }

  async #splitUpsert(
    session: SqlSession,
    batch: InsertBatch,
    rows: readonly Row[],
    parts: ConflictParts,
    there: ReadonlySet<number>,
  ): Promise<number> {
    const { table } = this.layouts(batch.entity);
    let count = 0;
    const stored = rows.filter((_, i) => there.has(i));
    if (stored.length > 0 && parts.updated.length > 0) {
      const assignments: Assignment[] = parts.updated.map((field) => ({
        column: this.dialect.quote(field.column),
        value: this.writes.column(batch.fields.indexOf(field), field),
      }));
      if (parts.version !== undefined) assignments.push(parts.version);
      const on = this.#on(batch.fields, parts.keys);
      const text = this.writes.update(table, this.writes.source(batch.fields), on, assignments);
      for (const piece of this.#pieces(batch, batch.fields, stored)) await this.#send(session, batch, text, piece);
      count += stored.length;
    }
    const fresh = parts.distinct(rows.filter((_, i) => !there.has(i)));
    const text = this.#insertText(batch, '');
    for (const piece of this.#pieces(batch, batch.fields, fresh)) await this.#send(session, batch, text, piece);
    return count + fresh.length;
  }

  async #readBack(
    session: SqlSession,
    batch: InsertBatch,
    piece: Piece,
    keys: readonly Field[],
    returning: readonly Field[],
  ): Promise<Rows> {
    const { table } = this.layouts(batch.entity);
    const { quote, selected } = this.dialect;
    const listed = returning.map((field) => selected(`t.${quote(field.column)}`, field)).join(', ');
    const text = `select ${listed} from ${this.writes.source(batch.fields)} left join ${table} t on ${this.#on(batch.fields, keys)} order by u.sw_n`;
    const result = await this.#send(session, batch, text, piece);
    return decodeColumns(
      result.rows,
      returning.map((field) => this.dialect.decoder(field)),
    );
  }

  async #change(session: SqlSession, batch: UpdateBatch | DeleteBatch): Promise<WriteResult> {
    const { entity, keys, versions } = batch;
    const layout = this.layouts(entity);
    const key = versions === undefined || entity.version === undefined ? entity.ids : [...entity.ids, entity.version];
    const masked = batch.op === 'update' ? maskOf(batch) : [];
    const fields = batch.op === 'update' ? batch.fields : [];
    const masks = fields.filter((_, i) => masked[i]);
    const columns: BatchColumn[] = [...key, ...fields, ...masks.map(() => 'mask' as const)];
    const text = this.#changeText(batch, layout, key, columns, masked);
    const wanted = keys.map((each, i): Row => {
      const row = batch.op === 'update' ? (batch.rows[i] ?? []) : [];
      const given = masks.map((field) => row[fields.indexOf(field)] !== undefined);
      return [...each, ...(key.length > each.length ? [versions?.[i]] : []), ...row, ...given];
    });
    const missed: number[] = [];
    let from = 0;
    for (const piece of this.#pieces(batch, columns, wanted)) {
      const there = await this.#positions(session, batch, piece, key, key);
      for (let i = 0; i < piece.rows.length; i++) if (!there.has(i)) missed.push(from + i);
      if (there.size > 0) await this.#send(session, batch, text, piece);
      from += piece.rows.length;
    }
    const count = keys.length - missed.length;
    return missed.length > 0 ? { count, missed } : { count };
  }

  #changeText(
    batch: UpdateBatch | DeleteBatch,
    { table }: TableLayout,
    key: readonly Field[],
    columns: readonly BatchColumn[],
    masked: readonly boolean[],
  ): string {
    const { quote } = this.dialect;
    const source = this.writes.source(columns);
    const matches = key.map((field, i) => ({ column: quote(field.column), value: this.writes.column(i, field) }));
    if (batch.op === 'delete') return this.writes.delete(table, source, matches);
    let mask = key.length + batch.fields.length;
    const assignments = batch.fields.map((field, i): Assignment => {
      const value = this.writes.column(key.length + i, field);
      const column = quote(field.column);
      if (masked[i] !== true) return { column, value };
      return {
        column,
        value: `case when ${this.writes.column(mask++, 'mask')} = 1 then ${value} else t.${column} end`,
      };
    });
    return this.writes.update(table, source, this.#on(key, key), assignments);
  }

  /** `t.key = u.column`, for keys among the batch's columns. */
  #on(columns: readonly BatchColumn[], keys: readonly Field[]): string {
    const { quote } = this.dialect;
    return keys
      .map((field) => `t.${quote(field.column)} = ${this.writes.column(columns.indexOf(field), field)}`)
      .join(' and ');
  }

  /** Positions (from 0) of the rows that are stored; `columns` begin as those of the piece do. */
  async #positions(
    session: SqlSession,
    batch: WriteBatch,
    piece: Piece,
    columns: readonly BatchColumn[],
    keys: readonly Field[],
  ): Promise<Set<number>> {
    const { table, part } = this.layouts(batch.entity);
    const on = this.#on(columns, keys) + (part === undefined ? '' : ` and t.${part.column} = ${part.value}`);
    const text = this.writes.find(table, this.writes.source(columns), on);
    const found = await this.#send(session, batch, text, piece);
    return new Set(found.rows.map(([n]) => Number(n) - 1));
  }

  #pieces({ entity }: WriteBatch, columns: readonly BatchColumn[], rows: readonly Row[]): Iterable<Piece> {
    return pieces(entity, columns, rows, this.dialect, this.writes.maxCharacters);
  }

  #send(session: SqlSession, { entity }: WriteBatch, text: string, piece: Piece) {
    return session.query({ text, values: [piece.text], prepare: true, about: entity });
  }
}
