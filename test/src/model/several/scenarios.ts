/**
 * The wider model's scenarios: each kind of each topic alone with a settled reader and two restarts, all pairs of kinds,
 * pairs with a reader; and its planted mistakes, with and without.
 */
import type { System } from '../explore.js';
import { type Planted, SEVERAL_MISTAKES, type SeveralMistake } from './mistakes.js';
import type { State } from './state.js';
import { severalProtocol } from './system.js';
import { TOPICS, type Topic, worldOf } from './topics.js';
import type { World } from './world.js';

export interface SeveralScenario {
  readonly group: 'alone' | 'pair' | 'pair with a reader' | 'triple';
  readonly name: string;
  readonly system: () => System<State>;
}

/** `draw` picks triples; a topic has as many as `triples`. */
export function* severalScenarios(
  full: boolean,
  triples: number,
  draw: <T>(of: readonly T[]) => T,
): Generator<SeveralScenario> {
  for (const topic of TOPICS) {
    const { kinds, reader } = topic;
    const short = full ? kinds : kinds.slice(0, topic.short);
    for (const kind of kinds) yield* scenariosOf('alone', topic, [kind], { restarts: 2, ...readerOf(topic, reader) });
    for (const pair of pairs(short)) yield* scenariosOf('pair', topic, pair, { restarts: full ? 1 : 0 });
    if (reader !== undefined && full)
      for (const pair of pairs(kinds.slice(0, topic.short)))
        for (const readsOnce of [false, true])
          yield* scenariosOf('pair with a reader', topic, pair, { restarts: 0, readsOnce, ...readerOf(topic, reader) });
    for (let drawn = 0; drawn < triples; drawn++) {
      const three = [draw(kinds), draw(kinds), draw(kinds)];
      const [first] = scenariosOf('triple', topic, three, { restarts: 0 });
      if (first !== undefined) yield first;
    }
  }
}

function* scenariosOf(
  group: SeveralScenario['group'],
  topic: Topic,
  kinds: readonly string[],
  more: Partial<World>,
): Generator<SeveralScenario> {
  for (const there of topic.starts) {
    const world = worldOf(topic, kinds, there, more);
    if (!world.units.some((_, unit) => canSucceed(world, unit))) continue;
    const name = `${topic.name}: ${kinds.join(' | ')} (${there.join(', ') || 'nothing'} there${world.reader.length > 0 ? `, reader${world.readsOnce ? ' that reads once' : ''}` : ''})`;
    yield { group, name, system: () => severalProtocol(world) };
  }
}

function canSucceed({ units, records }: World, unit: number): boolean {
  const isThere = (record: number): boolean => records[record]?.there === true;
  return (units[unit]?.slots ?? []).every(({ record, change }) => {
    if (change === 'match') return true;
    if (change !== 'insert' && change !== 'fresh') return isThere(record);
    return !isThere(record) && (records[record]?.ends ?? []).every(isThere);
  });
}

function readerOf({ records }: Topic, reader: readonly string[] = []): Pick<World, 'reader'> {
  return { reader: reader.map((name) => Object.keys(records).indexOf(name)) };
}

function* pairs(kinds: readonly string[]): Generator<readonly [string, string]> {
  for (const [index, first] of kinds.entries()) for (const second of kinds.slice(index)) yield [first, second];
}

/** The scenario of a planted mistake, with it and, where the right protocol takes such units at all, without. */
export function plantedSystems(name: SeveralMistake): {
  what: string;
  found: RegExp;
  wrong: System<State>;
  right?: System<State>;
} {
  const planted: Planted = SEVERAL_MISTAKES[name];
  const topic = TOPICS.find((each) => each.name === planted.topic);
  if (topic === undefined) throw new RangeError(`There is no topic "${planted.topic}".`);
  const world = (mistakes: readonly SeveralMistake[]): World =>
    worldOf(topic, planted.units, planted.there, { ...readerOf(topic, planted.reader), mistakes: new Set(mistakes) });
  // A relationship that skips its fence is the mistake itself.
  const isTaken = name !== 'freshRelationship';
  const { what, found } = planted;
  return { what, found, wrong: severalProtocol(world([name])), ...(isTaken && { right: severalProtocol(world([])) }) };
}
