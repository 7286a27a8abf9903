/**
 * All that is known of a round, for whoever has to find out why it was violated: what was done to it and when, what its
 * processes said, step by step, and what each store held in the end.
 */
import type { Observation } from './check/observation.js';
import type { StoryLine } from './story.js';

interface Told {
  readonly process: number;
  readonly line: StoryLine;
}

export class CaseFile {
  readonly #began = Date.now();
  readonly #done: { at: number; what: string }[] = [];
  readonly #told: Told[] = [];
  #observed: Observation | undefined;

  constructor(private readonly name: string) {}

  /** Something that was done to the round: a kill, a strike, a restart. */
  note(what: string): void {
    this.#done.push({ at: Date.now(), what });
  }

  hear(process: number, lines: readonly StoryLine[]): void {
    for (const line of lines) this.#told.push({ process, line });
  }

  see(observed: Observation): void {
    this.#observed = observed;
  }

  /** Times are milliseconds since the round began. Of what its processes said only units that a violation speaks of, if any. */
  text(violations: readonly string[]): string {
    const all = violations.join(' ');
    const units = this.#told.flatMap(({ line }) => (line.say === 'begin' ? [line.unit] : []));
    const named = new Set(units.filter((unit) => new RegExp(`\\b${unit}\\b`).test(all)));
    const isOfInterest = (unit: string) => named.size === 0 || named.has(unit);
    const ids = new Map(this.#told.flatMap(({ line }) => (line.say === 'try' ? [[line.unitOfWork, line.unit]] : [])));
    const lines = this.#told.flatMap(({ process, line }) => {
      const { at = 0, say, ...rest } = line;
      const text = `process ${process} ${say}`;
      if (line.say === 'saw')
        return all.includes('settled read') ? [{ at, what: `${text} ${JSON.stringify(rest)}` }] : [];
      if (line.say !== 'step') return isOfInterest(line.unit) ? [{ at, what: `${text} ${JSON.stringify(rest)}` }] : [];
      const unit = ids.get(line.unitOfWork);
      if (unit !== undefined && !isOfInterest(unit)) return [];
      const { moment, step, store, by, error = '' } = line;
      return [
        { at, what: `${text} ${moment} ${step} of ${store} by ${by}, ${line.unitOfWork} (${unit ?? '?'}) ${error}` },
      ];
    });
    const events = [...this.#done, ...lines].sort((a, b) => a.at - b.at);
    return [
      `── ${this.name}`,
      ...events.map(({ at, what }) => `${String(at - this.#began).padStart(7)} ${what}`),
      '── what was there in the end',
      ...(this.#observed === undefined ? ['nobody could look'] : describe(this.#observed)),
      '──',
    ].join('\n');
  }
}

function* describe({ rows, links, points, records }: Observation): Generator<string> {
  for (const [store, { slots, counters, marks, leftovers }] of rows) {
    for (const slot of slots) yield `${store} slot ${JSON.stringify(slot)}`;
    for (const counter of counters) yield `${store} counter ${JSON.stringify(counter)}`;
    yield `${store} marks ${marks}`;
    for (const leftover of leftovers) yield `${store} leftover ${leftover}`;
  }
  yield `relationships ${links}`;
  yield `points ${[...points].map(([unit, count]) => `${unit}: ${count}`).join(', ')}`;
  for (const [unit, each] of records) yield `records of ${unit}: ${each.join('; ')}`;
}
