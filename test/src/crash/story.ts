/**
 * What a worker says of its units of work, a line of JSON each, in a file that outlives it: what it is about to do, and
 * what it was told. A line is handed to the kernel before the next step, so SIGKILL loses none.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
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

/** Everything that an attempt is about to commit. */
export interface Attempt {
  readonly changes: readonly Change[];
  /** Stores in which it leaves a mark. */
  readonly marks: readonly RowStore[];
  /** Points in the time series. */
  readonly points: number;
  readonly hasLink: boolean;
}

export type StoryLine =
  | { readonly say: 'begin'; readonly unit: string; readonly stores: readonly StoreName[] }
  | { readonly say: 'try'; readonly unit: string; readonly attempt: Attempt }
  | { readonly say: 'acknowledged'; readonly unit: string; readonly status: string }
  | { readonly say: 'refused' | 'unknown'; readonly unit: string; readonly error: string };

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
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Reads the story of one worker; a last line that was cut off is one that was not said. */
export function readStory(path: string, round: number): UnitStory[] {
  const units = new Map<string, { attempts: Attempt[]; outcome: UnitStory['outcome']; error?: string }>();
  for (const text of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const line = JSON.parse(text) as StoryLine;
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
