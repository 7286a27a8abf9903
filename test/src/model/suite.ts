/**
 * What is walked: all pairs of kinds of unit of work, pairs with a settled reader beside them, triples drawn by a seed,
 * and each planted mistake, first of one record of each kind of store (`protocol/`), then topic by topic of several
 * (`several/`). One list of scenarios, so that the short run, the full run and a part of it differ only in which they take.
 */
import type { State } from './bytes.js';
import { type Exploration, explore, type System } from './explore.js';
import { ALL_KINDS, type Kind, SHORT_KINDS, type Start, startsOf } from './protocol/kinds.js';
import { MISTAKES, type Mistake, type MistakeName } from './protocol/mistakes.js';
import type { Model } from './protocol/state.js';
import { protocol } from './protocol/system.js';
import { SEVERAL_MISTAKES, type SeveralMistake } from './several/mistakes.js';
import { plantedSystems, severalScenarios } from './several/scenarios.js';

export interface Scenario {
  readonly group: 'alone' | 'pair' | 'pair with a reader' | 'refusal rows' | 'triple';
  readonly name: string;
  readonly system: () => System<State>;
}

export interface Finding {
  readonly scenario: string;
  readonly what: string;
  readonly trace: readonly string[];
}

export interface Report {
  scenarios: number;
  /** Distinct pairs of kinds; parts of one run share pairs, since each start is a scenario of its own. */
  pairs: number;
  triples: number;
  states: number;
  transitions: number;
  /** Scenarios that the limit on states cut short. */
  cut: string[];
  violations: Finding[];
}

/** A bound that no pair reaches; triples may, and then are named. Two million states take some 1.8 GB. */
const MOST_STATES = 2_000_000;
const MOST_STATES_OF_A_TRIPLE = 800_000;

const RIGHT: ReadonlySet<MistakeName> = new Set();

export type PlantedName = MistakeName | SeveralMistake;

export const PLANTED: readonly PlantedName[] = [
  ...(Object.keys(MISTAKES) as MistakeName[]),
  ...(Object.keys(SEVERAL_MISTAKES) as SeveralMistake[]),
];

function scenario(group: Scenario['group'], units: readonly Kind[], start: Start, more: Partial<Model> = {}): Scenario {
  const there = `${start.a ? 'A' : 'no A'}, ${start.b ? 'B' : 'no B'}`;
  const name = `${units.map((unit) => unit.name).join(' | ')} (${there}${more.reader ? ', reader' : ''}${more.resolve === 'refusal' ? ', refusal rows' : ''})`;
  const model: Model = { units, start, mistakes: RIGHT, resolve: 'lock', reader: false, restarts: 1, ...more };
  return { group, name, system: () => protocol(model) };
}

function* pairs(kinds: readonly Kind[]): Generator<readonly [Kind, Kind]> {
  for (const [index, first] of kinds.entries()) for (const second of kinds.slice(index)) yield [first, second];
}

function* scenariosOf(
  group: Scenario['group'],
  sets: Iterable<readonly Kind[]>,
  more: Partial<Model> = {},
): Generator<Scenario> {
  for (const units of sets) for (const start of startsOf(units)) yield scenario(group, units, start, more);
}

const named = (...names: string[]): Kind[] => ALL_KINDS.filter((each) => names.includes(each.name));

const READ_BESIDE = named(
  'A.update+B.update',
  'A.insert+B.insert',
  'A.delete+B.delete',
  'B.update+C.point',
  'A.update+B.fresh',
  'B.delete',
);

/** Every scenario of the short run or of the full one, in a fixed order. */
export function* scenarios(full: boolean, seed: number): Generator<Scenario> {
  const kinds = full ? ALL_KINDS : SHORT_KINDS;
  const alone = ALL_KINDS.map((each) => [each]);
  yield* scenariosOf('alone', alone, { reader: true, restarts: 2 });
  yield* scenariosOf('alone', alone, { resolve: 'refusal', restarts: 2 });
  yield* scenariosOf('pair', pairs(kinds));
  yield* scenariosOf('pair with a reader', pairs(full ? READ_BESIDE : named('A.update+B.update', 'B.update+C.point')), {
    reader: true,
    restarts: full ? 1 : 0,
  });
  yield* scenariosOf('refusal rows', pairs(full ? SHORT_KINDS : named('A.update+B.update')), { resolve: 'refusal' });
  yield* triples(full ? 30 : 1, seed, full ? 1 : 0);
  const random = seeded(seed);
  yield* severalScenarios(full, full ? 5 : 0, (of) => of[Math.floor(random() * of.length)] as (typeof of)[number]);
}

function* triples(count: number, seed: number, restarts: number): Generator<Scenario> {
  const random = seeded(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  for (let drawn = 0; drawn < count; ) {
    const units = [pick(ALL_KINDS), pick(ALL_KINDS), pick(ALL_KINDS)];
    const starts = startsOf(units);
    if (starts.length === 0 || !units.some((unit) => unit.fences)) continue;
    drawn++;
    yield scenario('triple', units, pick(starts), { restarts });
  }
}

/** The mulberry32 generator: the same triples for the same seed, everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Walks the scenarios; `onDone` is told of each. */
export function check(list: Iterable<Scenario>, onDone?: (scenario: Scenario, found: Exploration) => void): Report {
  const report: Report = { scenarios: 0, pairs: 0, triples: 0, states: 0, transitions: 0, cut: [], violations: [] };
  const distinct = new Set<string>();
  for (const each of list) {
    const found = explore(each.system(), each.group === 'triple' ? MOST_STATES_OF_A_TRIPLE : MOST_STATES);
    report.scenarios++;
    report.states += found.states;
    report.transitions += found.transitions;
    if (each.group === 'pair') distinct.add(each.name.replace(/ \([^|]*$/, ''));
    if (each.group === 'triple') report.triples++;
    if (found.violation !== undefined) report.violations.push({ scenario: each.name, ...found.violation });
    else if (!found.complete) report.cut.push(each.name);
    onDone?.(each, found);
  }
  report.pairs = distinct.size;
  return report;
}

export interface MistakeFound {
  readonly mistake: PlantedName;
  readonly what: string;
  /** The violation that it led to; absent where it was missed, or led to something else than it should. */
  readonly violation?: string;
  readonly trace: readonly string[];
  /** What the right protocol, in the same scenario, is accused of; absent where it is in order. */
  readonly falsely?: string;
}

/** Plants one mistake, and walks the same scenario with and without it. */
export function plant(name: PlantedName): MistakeFound {
  const { what, found, wrong, right } =
    name in MISTAKES ? ofProtocol(name as MistakeName) : plantedSystems(name as SeveralMistake);
  const { violation } = explore(wrong, MOST_STATES);
  const expected = violation !== undefined && found.test(violation.what) ? violation.what : undefined;
  const without = right && explore(right, MOST_STATES);
  const falsely = without?.violation?.what ?? (without?.complete === false ? 'more states than the limit' : undefined);
  return { mistake: name, what, violation: expected, trace: violation?.trace ?? [], falsely };
}

function ofProtocol(name: MistakeName): ReturnType<typeof plantedSystems> {
  const { what, found, units, start, reader, resolve }: Mistake = MISTAKES[name];
  const more = { reader: reader ?? false, resolve: resolve ?? ('lock' as const) };
  const wrong = scenario('pair', units, start, { ...more, mistakes: new Set([name]) }).system();
  // The right protocol refuses to rewrite points at all, so there is nothing to compare with.
  const isTaken = !units.some((unit) => unit.c === 'rewrite');
  return { what, found, wrong, ...(isTaken && { right: scenario('pair', units, start, more).system() }) };
}
