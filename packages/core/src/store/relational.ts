/** What only a relational store can do: its own language, with bound parameters. */
import type { Access } from './access.js';

export interface RelationalStore {
  /** Runs one statement. `text` has the store's own placeholders where `values` go. Rows are objects by column name. */
  sql(text: string, values: readonly unknown[], access: Access): Promise<Record<string, unknown>[]>;
  /** Placeholder of the n-th value (from 1): `$1`, `?`. */
  placeholder(n: number): string;
  /** Quotes an identifier. */
  quote(name: string): string;
}
