/**
 * What the walk reaches: a model in which a unit of work cannot even succeed would have no violation either. Each kind, alone,
 * comes to its end decided from some start, and ends without effect as well.
 */
import { expect, test } from 'vitest';
import { explore } from '../explore.js';
import { ALL_KINDS, kind, startsOf } from './kinds.js';
import * as S from './state.js';
import { type Model, Pc, type State } from './state.js';
import { protocol } from './system.js';

const model = (more: Partial<Model>): Model => ({
  units: [],
  start: { a: true, b: true },
  mistakes: new Set(),
  resolve: 'lock',
  reader: false,
  restarts: 1,
  ...more,
});

/** Whether a state at rest is reached for which `wanted` holds. */
function reaches(of: Model, wanted: (state: State) => boolean): boolean {
  const system = protocol(of);
  const walk = {
    ...system,
    violation: (state: State) => (system.atRest(state) && wanted(state) ? 'there' : undefined),
  };
  return explore(walk, 100_000).violation?.what === 'there';
}

const there = (state: State): boolean => S.get(state, S.TX) === S.Tx.committed || S.hasBit(state, S.B_DISK + S.BITS, 0);

test.each(ALL_KINDS.map((each) => [each.name, each] as const))('%s can succeed, and can fail', (_name, each) => {
  const starts = startsOf([each]);
  expect(starts.some((start) => reaches(model({ units: [each], start }), there))).toBe(true);
  expect(starts.some((start) => reaches(model({ units: [each], start }), (state) => !there(state)))).toBe(true);
});

test('two units that update the same records: both may fail, either may win, and the second may follow the first', () => {
  const units = [kind('update', 'update'), kind('increment', 'increment')];
  const writers = (state: State): number => S.get(state, S.A + S.BITS);
  for (const expected of [0b00, 0b01, 0b10, 0b11])
    expect(reaches(model({ units }), (state) => writers(state) === expected)).toBe(true);
});

test('a fence that nobody owns any more is removed, and a worker that died in COMMIT leaves a whole unit', () => {
  const units = [kind('insert', 'insert')];
  const start = { a: false, b: false };
  const walk = protocol(model({ units, start }));
  const orphan = (state: State): boolean =>
    S.get(state, S.B + S.FENCE) === 1 && S.get(state, S.PC) === Pc.dead && S.get(state, S.TX) === S.Tx.aborted;
  const found = explore({ ...walk, violation: (state) => (orphan(state) ? 'orphan' : undefined) }, 100_000);
  expect(found.violation?.what).toBe('orphan');
  expect(explore(walk, 100_000)).toMatchObject({ complete: true, violation: undefined });
});
