/**
 * One entity's rows in the store that it moves to, while the other one still has it. Only the mover writes here, so it
 * can know the target's content to the last row: a survey takes the sum of it, and every later write keeps that sum
 * right, so that nothing has to be read again while writers wait for the switch.
 */
import { UniqueViolationError } from '../../errors/errors.js';
import type { EntityModel } from '../../model/entity-model.js';
import type { Row } from '../../model/field.js';
import { keysIn } from '../../query/logic.js';
import type { Access } from '../../store/access.js';
import type { Store } from '../../store/store.js';
import type { Difference } from './comparison.js';
import { Digest } from './digest.js';
import { type Gate, uniqueIndexes } from './gate.js';
import { byKeys, countOf, keyOf, lastKey, pages, textOf } from './pages.js';
import { comparable, differingFields } from './rows.js';

/** More differences than this are not looked for: the target cannot keep the entity. */
const TOO_MANY = 100;

export class Replica {
  /** Rows that were written, in all. */
  written = 0;
  /** Rows of the target. */
  count = 0;
  /** What the source has and what the target gave back. */
  source = new Digest();
  target = new Digest();
  readonly #unlike = new Map<string, Difference>();

  constructor(
    readonly entity: EntityModel,
    private readonly from: Store,
    private readonly to: Store,
    private readonly gate: Gate,
    private readonly access: Access,
    /** Throws where this mover may not write any more. */
    private readonly check: () => void,
  ) {}

  /** Rows that the target gave back unlike they were written. */
  get differences(): readonly Difference[] {
    return [...this.#unlike.values()];
  }

  get isHopeless(): boolean {
    return this.#unlike.size >= TOO_MANY;
  }

  /** Makes the target's rows what these rows of the source are. Returns the number of rows written. */
  async copy(rows: readonly Row[]): Promise<number> {
    return this.#bring(
      rows.map((row) => keyOf(this.entity, row)),
      rows,
    );
  }

  /** The same for keys, whose rows are read now; rows that are gone go. */
  async catchUp(keys: readonly Row[]): Promise<number> {
    const rows = await byKeys(this.from, this.entity, keys, this.access);
    return this.#bring(keys, [...rows.values()]);
  }

  /**
   * Reads the whole target and asks the source for each row, then all keys of the source and asks the target. What is not
   * the same is logged, to be caught up with: a writer was quicker, or something is wrong, and both are mended that way.
   */
  async survey(size: number, onRows: (done: number) => void): Promise<void> {
    const { entity, from, to, access } = this;
    [this.count, this.source, this.target] = [0, new Digest(), new Digest()];
    let done = 0;
    for await (const rows of pages(to, entity, { size, from: undefined, access })) {
      const keys = rows.map((row) => keyOf(entity, row));
      const present = await byKeys(from, entity, keys, access);
      const stale = keys.filter((key, at) => {
        const other = present.get(textOf(key));
        return other === undefined || differingFields(entity, rows[at] ?? [], other).length > 0;
      });
      for (const row of rows) this.#take(row);
      await this.gate.record(entity, stale, access);
      done += rows.length;
      onRows(done);
    }
    const until = await lastKey(from, entity, access);
    for await (const rows of pages(from, entity, { size, from: undefined, until, access, fields: entity.ids })) {
      const keys = rows.map((row) => row.slice(0, entity.ids.length));
      const present = await byKeys(to, entity, keys, access);
      const missing = keys.filter((key) => !present.has(textOf(key)));
      await this.gate.record(entity, missing, access);
      onRows(done);
    }
  }

  /** Whether both sides have the same number of rows, and the target the rows that it was given. Nobody may be writing. */
  async isSettled(): Promise<boolean> {
    const { from, to, entity, access } = this;
    const [source, target] = await Promise.all([countOf(from, entity, access), countOf(to, entity, access)]);
    const isWhole = source === target && target === this.count;
    return isWhole && this.#unlike.size === 0 && String(this.source) === String(this.target);
  }

  async #bring(keys: readonly Row[], rows: readonly Row[]): Promise<number> {
    const { entity, to, access } = this;
    const before = await byKeys(to, entity, keys, access);
    const given = new Map(rows.map((row) => [textOf(keyOf(entity, row)), row]));
    const isNew = (text: string, row: Row) => {
      const old = before.get(text);
      return old === undefined || differingFields(entity, row, old).length > 0;
    };
    const fresh = [...given].filter(([text, row]) => isNew(text, row)).map(([, row]) => row);
    const stale = [...before].filter(([text]) => {
      const row = given.get(text);
      return row === undefined || isNew(text, row);
    });
    for (const key of keys) this.#unlike.delete(textOf(key));
    await this.#remove(stale.map(([, row]) => row));
    await this.#insert(fresh);
    this.written += fresh.length;
    return fresh.length;
  }

  async #remove(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const { entity, to, access } = this;
    this.check();
    await to.write({ op: 'delete', entity, keys: rows.map((row) => keyOf(entity, row)) }, access);
    for (const row of rows) {
      this.count -= 1;
      this.source.remove(comparable(entity, row));
      this.target.remove(comparable(entity, row));
    }
  }

  async #insert(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const { entity, to, access } = this;
    for (;;) {
      this.check();
      try {
        await to.write({ op: 'insert', entity, fields: entity.fields, rows }, access);
        break;
      } catch (error) {
        if (!(error instanceof UniqueViolationError) || !(await this.#makeRoom(rows))) throw error;
      }
    }
    const stored = await byKeys(
      to,
      entity,
      rows.map((row) => keyOf(entity, row)),
      access,
    );
    for (const row of rows) {
      const key = keyOf(entity, row);
      const other = stored.get(textOf(key));
      this.count += 1;
      this.source.add(comparable(entity, row));
      if (other !== undefined) this.target.add(comparable(entity, other));
      const fields = other === undefined ? [] : differingFields(entity, row, other);
      if (other === undefined) this.#unlike.set(textOf(key), { key, kind: 'missing' });
      else if (fields.length > 0) this.#unlike.set(textOf(key), { key, kind: 'changed', fields });
    }
  }

  /**
   * Takes out the rows that hold unique values of these: they are older than these, since the source has both. They are
   * logged, to be brought back as they now are. Returns false where there were none.
   */
  async #makeRoom(rows: readonly Row[]): Promise<boolean> {
    const { entity, to, access } = this;
    let found = false;
    for (const { fields } of uniqueIndexes(entity)) {
      const values = rows.map((row) => fields.map(({ index }) => row[index]));
      const where = keysIn(fields, values);
      const holders = await to.read({ entity, fields: entity.fields, where }, access);
      if (holders.length === 0) continue;
      found = true;
      await this.gate.record(
        entity,
        holders.map((row) => keyOf(entity, row)),
        access,
      );
      await this.#remove(holders);
    }
    return found;
  }

  #take(row: Row): void {
    this.count += 1;
    this.source.add(comparable(this.entity, row));
    this.target.add(comparable(this.entity, row));
  }
}
