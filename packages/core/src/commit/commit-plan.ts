/**
 * What a commit would do, as data and as text, before it does it. Made from the same batches that are then sent, so that
 * what is shown is what happens; only life-cycle hooks, which run at the commit itself, can still add to it.
 */
import type { Field, Row } from '../model/field.js';
import type { PlannedWrite } from './planned-write.js';

/** One batch: rows of one entity, written to one store by one operation. */
export interface PlannedOperation {
  /** Name of the transaction domain. */
  readonly domain: string;
  /** Logical name of the store. */
  readonly store: string;
  readonly entity: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** Number of rows. */
  readonly count: number;
  /** Names of the fields written; empty for a deletion. */
  readonly fields: readonly string[];
  /** Identities: one value each, or an object by field for a composite one; undefined where the store makes it. */
  readonly keys: readonly unknown[];
}

/** The writes of a unit of work in the order in which a commit sends them. */
export class CommitPlan {
  readonly operations: readonly PlannedOperation[];

  constructor(
    writes: readonly PlannedWrite[],
    /** What cannot be known before the commit, in words. */
    readonly notes: readonly string[] = [],
    /** What was sent before. */
    earlier: readonly PlannedOperation[] = [],
  ) {
    this.operations = [...earlier, ...writes.map(describe)];
  }

  /** Names of the transaction domains that are written to. */
  get domains(): readonly string[] {
    return [...new Set(this.operations.map((operation) => operation.domain))];
  }

  /** Number of rows in all. */
  get rows(): number {
    return this.operations.reduce((sum, operation) => sum + operation.count, 0);
  }

  get isEmpty(): boolean {
    return this.operations.length === 0;
  }

  toJSON(): unknown {
    return { operations: this.operations, notes: this.notes };
  }

  toString(): string {
    if (this.isEmpty) return ['Nothing to commit.', ...this.notes.map((note) => `  note: ${note}`)].join('\n');
    const { domains } = this;
    const lines = [
      `${amount(this.rows, 'row')} in ${amount(this.operations.length, 'batch')}, ${amount(domains.length, 'domain')}`,
    ];
    for (const domain of domains) {
      lines.push(`domain ${domain}`);
      const own = this.operations.filter((operation) => operation.domain === domain);
      const width = (pick: (operation: PlannedOperation) => string) => Math.max(...own.map((o) => pick(o).length));
      const widths = { store: width((o) => o.store), entity: width((o) => o.entity) };
      for (const operation of own) {
        const head = `${operation.operation} ${operation.entity.padEnd(widths.entity)} in ${operation.store.padEnd(widths.store)}`;
        lines.push(`  ${head}  ${amount(operation.count, 'row')}  ${keyText(operation)}`);
        if (operation.fields.length > 0) lines.push(`         ${operation.fields.join(', ')}`);
      }
    }
    for (const note of this.notes) lines.push(`note: ${note}`);
    return lines.join('\n');
  }
}

function describe(write: PlannedWrite): PlannedOperation {
  const { entity } = write;
  let keys: readonly unknown[] | undefined;
  return {
    domain: write.store.domain.name,
    store: entity.store,
    entity: entity.name,
    operation: write.operation,
    count: write.count,
    fields: write.fields.map((field) => field.name),
    // Read on demand: a plan of many thousand rows is mostly asked for its counts.
    get keys() {
      keys ??= write.keys().map((key) => keyOf(entity.ids, key));
      return keys;
    },
  };
}

function keyOf(ids: readonly Field[], key: Row): unknown {
  const values = ids.map((field, at) => {
    const value = key[at];
    return value === undefined || value === null ? value : field.codec.fromRow(value);
  });
  return ids.length === 1 ? values[0] : Object.fromEntries(ids.map((field, at) => [field.name, values[at]]));
}

const SHOWN = 3;

function keyText(operation: PlannedOperation): string {
  const shown = operation.keys.slice(0, SHOWN).map((key) => (key === undefined ? '(made by the store)' : text(key)));
  const rest = operation.count - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest.toLocaleString('en')} more` : ''}`;
}

function text(key: unknown): string {
  if (typeof key === 'string') return key;
  return JSON.stringify(key, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

function amount(count: number, noun: string): string {
  const plural = noun.endsWith('ch') ? `${noun}es` : `${noun}s`;
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}
