/** What every library has to do in the relational benchmark, on one table of employees. */
import type { EmployeeData } from '../employee.js';

export interface RelationalContender {
  readonly name: string;
  open(url: string): Promise<void>;
  close(): Promise<void>;
  /** Commits new rows the way the library's users do it; returns how many. */
  insert(rows: readonly EmployeeData[]): Promise<number>;
  /** All rows as objects that nobody tracks. */
  load(): Promise<readonly unknown[]>;
  /** All rows as objects whose changes are found by `commitChanges`; absent where the library tracks nothing. */
  loadTracked?(): Promise<readonly TrackedEmployee[]>;
  commitChanges?(): Promise<void>;
  /** One object; undefined or null where there is none. */
  byId(id: string): Promise<unknown>;
}

export interface TrackedEmployee {
  name: string;
  score: number;
}
