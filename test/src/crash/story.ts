/**
 * What a worker says of its units of work, a line of JSON each, in a file that outlives it: what it is about to do, and
 * what it was told. A line is handed to the kernel before the next step, so SIGKILL loses none.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { StepEvent } from '@storeweave/core';
import type { RowStore, StoreName } from './model.js';

/** One slot that an attempt changes. */
export interface Change {
  readonly store: RowStore;
  readonly id: number;
  readonly op: 'insert' | 'append' | 'delete';
  /** Units that the attempt read there; null where nothing was. */
  readonly before: readonly string[] | null;
  /** The name that it gives the slot, if it does. */
  readonly name?: string;
}

/** One slot that an attempt looked at and guards. */
export type Guarded = Pick<Change, 'store' | 'id'> & { readonly before: readonly string[] };

/** One counter that an attempt changes without reading it: by how much, and whether with its whole shelf. */
export interface Count {
  readonly store: RowStore;
  readonly id: number;
  readonly by: number;
  readonly isShelf: boolean;
}

/** Everything that an attempt is about to commit. */
export interface Attempt {
  readonly changes: readonly Change[];
  readonly guards: readonly Guarded[];
  readonly counts: readonly Count[];
  /** What it was told of its own calls that cannot be, should it be committed. */
  readonly doubts: readonly string[];
  /** Stores in which it leaves a mark. */
  readonly marks: readonly RowStore[];
  /** Points in the time series. */
  readonly points: number;
  readonly hasLink: boolean;
}

/** What a settled read has seen, of all stores. */
export interface Snapshot {
  readonly slots: readonly (readonly [store: RowStore, id: number, units: string])[];
  /** Of this round. */
  readonly marks: readonly (readonly [store: RowStore, unit: string])[];
  readonly links: readonly string[];
  readonly points: readonly (readonly [unit: string, count: number])[];
}

/** A step of a commit, as its process was told of it. */
export type StepTold = Pick<StepEvent, 'step' | 'moment' | 'unitOfWork' | 'store' | 'by'> & { readonly error?: string };

export type StoryLine = { readonly at?: number } & (
  | { readonly say: 'begin'; readonly unit: string; readonly stores: readonly StoreName[] }
  | { readonly say: 'try'; readonly unit: string; readonly unitOfWork: string; readonly attempt: Attempt }
  | { readonly say: 'acknowledged'; readonly unit: string; readonly status: string }
  | { readonly say: 'refused' | 'unknown'; readonly unit: string; readonly error: string }
  | { readonly say: 'saw'; readonly snapshot: Snapshot }
  | ({ readonly say: 'step' } & StepTold)
  /** What can never be, found by the worker itself. */
  | { readonly say: 'wrong'; readonly unit: string; readonly what: string }
);

/** What is known of one unit of work. `unanswered`: its process died, or never came back to it. */
export interface UnitStory {
  readonly unit: string;
  readonly round: number;
  readonly attempts: readonly Attempt[];
  readonly outcome: 'acknowledged' | 'refused' | 'unknown' | 'unanswered';
  readonly error?: string;
}

export class StoryWriter {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  say(line: StoryLine): void {
    writeSync(this.#file, `${JSON.stringify({ at: Date.now(), ...line })}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Reads what one worker has said; a last line that was cut off is one that was not said. */
export function readStory(path: string): StoryLine[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((text) => JSON.parse(text) as StoryLine);
}

/** What became of each unit of work. */
export function unitsOf(lines: readonly StoryLine[], round: number): UnitStory[] {
  const units = new Map<string, { attempts: Attempt[]; outcome: UnitStory['outcome']; error?: string }>();
  for (const line of lines) {
    if (line.say === 'saw' || line.say === 'step' || line.say === 'wrong') continue;
    let unit = units.get(line.unit);
    if (unit === undefined) {
      unit = { attempts: [], outcome: 'unanswered' };
      units.set(line.unit, unit);
    }
    if (line.say === 'begin') continue;
    if (line.say === 'try') unit.attempts.push(line.attempt);
    else unit.outcome = line.say;
    if ('error' in line) unit.error = line.error;
  }
  return [...units].map(([unit, rest]) => ({ unit, round, ...rest }));
}
