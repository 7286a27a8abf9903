/**
 * What the wider walk reaches: each kind of unit of work of each topic comes to its end decided from some start, and
 * without effect as well; and what the topics are about does happen.
 */
import { describe, expect, test } from 'vitest';
import { explore } from '../explore.js';
import * as S from './state.js';
import { Fate, Pc, Sent, type State, Tx } from './state.js';
import { severalProtocol } from './system.js';
import { TOPICS, type Topic, worldOf } from './topics.js';
import type { World } from './world.js';

/** Whether a state is reached for which `wanted` holds; at rest, unless `anywhere`. */
function reaches(world: World, wanted: (state: State) => boolean, anywhere = false): boolean {
  const system = severalProtocol(world);
  const violation = (state: State) => ((anywhere || system.atRest(state)) && wanted(state) ? 'there' : undefined);
  return explore({ ...system, violation }, 300_000).violation?.what === 'there';
}

const topicOf = (name: string): Topic => {
  const found = TOPICS.find((topic) => topic.name === name);
  if (found === undefined) throw new RangeError(name);
  return found;
};

describe.each(TOPICS.map((topic) => [topic.name, topic] as const))('%s', (_name, topic) => {
  test.each(topic.kinds)('%s can succeed, and can fail', (kind) => {
    const isWhole = (world: World) => (state: State) =>
      (world.units[0]?.slots ?? []).some(({ record, change }) =>
        change === 'guard' ? S.get(state, S.TX) === Tx.committed : S.hasBit(state, S.recordAt(record) + S.BITS, 0),
      );
    const worlds = topic.starts.map((there) => worldOf(topic, [kind], there));
    expect(worlds.some((world) => reaches(world, isWhole(world)))).toBe(true);
    expect(worlds.some((world) => reaches(world, (state) => !isWhole(world)(state)))).toBe(true);
  });
});

test('a PREPARE arrives after its worker has given up, and is taken back', () => {
  const world = worldOf(topicOf('prepared transactions'), ['a.update p.update'], ['a', 'p']);
  const isLate = (state: State) => S.get(state, S.PC) === Pc.no && S.get(state, S.SENT + 1) === Sent.done;
  expect(reaches(world, isLate, true)).toBe(true);
  expect(explore(severalProtocol(world), 10_000)).toMatchObject({ complete: true, violation: undefined });
});

test('a dead letter is mended and whole, or discarded and partial', () => {
  const world = worldOf(topicOf('dead letters'), ['b.update d.update'], ['b', 'd']);
  const there = (state: State) => [1, 2].map((record) => S.hasBit(state, S.recordAt(record) + S.BITS, 0));
  expect(reaches(world, (state) => S.get(state, S.FATE) === Fate.fine && there(state).every(Boolean))).toBe(true);
  const isPartial = (state: State) => there(state).includes(true) && there(state).includes(false);
  expect(reaches(world, (state) => S.get(state, S.FATE) === Fate.discarded && isPartial(state))).toBe(true);
  expect(reaches(world, (state) => S.get(state, S.FATE) === Fate.fine && isPartial(state))).toBe(false);
});

test('a change by filter comes before or after a unit of work that holds one of its records', () => {
  const world = worldOf(topicOf('changes by filter'), ['b1.match b2.match', 'a.update b1.update'], ['a', 'b1', 'b2']);
  const lastAt = (record: number, unit: number) => (state: State) =>
    S.get(state, S.recordAt(record) + S.TAIL) === unit + 1 && S.get(state, S.recordAt(record) + S.BITS) === 0b11;
  expect(reaches(world, lastAt(1, 0))).toBe(true);
  expect(reaches(world, lastAt(1, 1))).toBe(true);
});
