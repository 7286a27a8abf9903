/**
 * Compares an entity in two stores row by row, writes again what differs, and digests both sides. Rows that only the
 * target has are found by counting first, and looked for only where the counts differ.
 */
import type { EntityModel } from '../../model/entity-model.js';
import type { Row } from '../../model/field.js';
import type { Access } from '../../store/access.js';
import type { Store } from '../../store/store.js';
import { Digest } from './digest.js';
import { byKeys, countOf, keyOf, pages, textOf } from './pages.js';
import { comparable, differingFields } from './rows.js';

/** One row that is not the same on both sides. */
export interface Difference {
  readonly key: Row;
  /** `changed`: these fields differ even after the row was written again, so the target cannot keep their values. */
  readonly kind: 'missing' | 'extra' | 'changed';
  readonly fields?: readonly string[];
}

/** More of them than this are counted and not listed. */
const LISTED = 100;

export class Comparison {
  readonly #source = new Digest();
  readonly #target = new Digest();
  readonly #differences: Difference[] = [];
  #rows = 0;
  #repaired = 0;

  constructor(
    private readonly entity: EntityModel,
    private readonly from: Store,
    private readonly to: Store,
    private readonly access: Access,
  ) {}

  /** Rows of the source. */
  async page(rows: readonly Row[]): Promise<void> {
    const { entity, access, to } = this;
    const keys = rows.map((row) => keyOf(entity, row));
    let present = await byKeys(to, entity, keys, access);
    const differing = rows.filter((row, at) => {
      const other = present.get(textOf(keys[at] ?? []));
      return other === undefined || differingFields(entity, row, other).length > 0;
    });
    if (differing.length > 0) {
      const stale = differing.map((row) => keyOf(entity, row)).filter((key) => present.has(textOf(key)));
      if (stale.length > 0) await to.write({ op: 'delete', entity, keys: stale }, access);
      await to.write({ op: 'insert', entity, fields: entity.fields, rows: differing }, access);
      this.#repaired += differing.length;
      present = await byKeys(to, entity, keys, access);
    }
    for (const [at, row] of rows.entries()) {
      this.#source.add(comparable(this.entity, row));
      const key = keys[at] ?? [];
      const other = present.get(textOf(key));
      if (other === undefined) this.#note({ key, kind: 'missing' });
      else {
        this.#target.add(comparable(this.entity, other));
        const fields = differingFields(entity, row, other);
        if (fields.length > 0) this.#note({ key, kind: 'changed', fields });
      }
    }
    this.#rows += rows.length;
  }

  async finish(options: { readonly size: number; readonly deleteExtra: boolean }) {
    let target = await countOf(this.to, this.entity, this.access);
    if (target !== this.#rows) target = await this.#findExtra(options);
    return {
      source: this.#rows,
      target,
      repaired: this.#repaired,
      sourceDigest: String(this.#source),
      targetDigest: String(this.#target),
      differences: this.#differences,
    };
  }

  /** Returns the number of rows that the target has in the end. */
  async #findExtra({ size, deleteExtra }: { size: number; deleteExtra: boolean }): Promise<number> {
    const { from, to, entity, access } = this;
    for await (const rows of pages(to, entity, { size, from: undefined, access })) {
      const keys = rows.map((row) => keyOf(entity, row));
      const known = await byKeys(from, entity, keys, access);
      const extra = rows.filter((_, at) => !known.has(textOf(keys[at] ?? [])));
      if (extra.length === 0) continue;
      if (deleteExtra) await to.write({ op: 'delete', entity, keys: extra.map((row) => keyOf(entity, row)) }, access);
      else {
        for (const row of extra) {
          this.#target.add(comparable(this.entity, row));
          this.#note({ key: keyOf(entity, row), kind: 'extra' });
        }
      }
    }
    return countOf(to, entity, access);
  }

  #note(difference: Difference): void {
    if (this.#differences.length < LISTED) this.#differences.push(difference);
  }
}
