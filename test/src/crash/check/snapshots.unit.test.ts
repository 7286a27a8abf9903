/** What a settled read must not see is planted in one that is right. */
import { expect, it } from 'vitest';
import type { Attempt, Snapshot, UnitStory } from '../story.js';
import { verifySnapshots } from './snapshots.js';

const nothing: Attempt = { changes: [], guards: [], counts: [], doubts: [], marks: [], points: 0, hasLink: false };
const unit = (name: string, attempt: Partial<Attempt>): UnitStory => ({
  unit: name,
  round: 1,
  outcome: 'acknowledged',
  attempts: [{ ...nothing, ...attempt }],
});
const empty: Snapshot = { slots: [], marks: [], links: [], points: [] };
const written = unit('b', {
  changes: [
    { store: 'document', id: 1, op: 'append', before: ['a'] },
    { store: 'graph', id: 1, op: 'insert', before: null },
  ],
  marks: ['relational'],
  points: 2,
  hasLink: true,
});
const whole: Snapshot = {
  slots: [
    ['document', 1, 'a,b'],
    ['graph', 1, 'b'],
  ],
  marks: [['relational', 'b']],
  links: ['b'],
  points: [['b', 2]],
};
const judge = (snapshot: Partial<Snapshot>, isThere = true, units = [written]) =>
  verifySnapshots([{ ...whole, ...snapshot }], units, new Set(isThere ? ['b'] : [])).join();

it('is right where it has seen all or nothing', () => {
  expect(judge({})).toBe('');
  expect(judge({ ...empty, slots: [['document', 1, 'a']] })).toBe('');
  expect(judge({ ...empty, slots: [['document', 1, 'a']] }, false)).toBe('');
  // Of another life: it tells nothing of this one.
  expect(
    judge({
      slots: [
        ['document', 1, 'z'],
        ['graph', 1, 'b,c'],
      ],
    }),
  ).toBe('');
});

it.each([
  [
    'a change',
    {
      slots: [
        ['document', 1, 'a'],
        ['graph', 1, 'b'],
      ],
    },
  ],
  ['an insertion', { slots: [['document', 1, 'a,b']] }],
  ['a mark', { marks: [] }],
  ['a relationship', { links: [] }],
  ['all points', { points: [] }],
  ['a point', { points: [['b', 1]] }],
] as [string, Partial<Snapshot>][])('is wrong where %s is missing', (_, snapshot) => {
  expect(judge(snapshot)).toMatch(/saw of b .*, and not /);
});

it('is wrong where it has seen what never came to be, or what is deleted beside what its deletion came with', () => {
  expect(judge({}, false)).toMatch(/which is not there/);
  const deleted = unit('b', { changes: [{ store: 'document', id: 1, op: 'delete', before: ['a'] }], marks: ['graph'] });
  const seen: Partial<Snapshot> = { ...empty, slots: [['document', 1, 'a']], marks: [['graph', 'b']] };
  expect(judge(seen, true, [deleted])).toMatch(/not delete of document 1/);
  expect(judge({ ...empty, marks: [['graph', 'b']] }, true, [deleted])).toBe('');
});
