/** The checker finds what it is there to find: each mistake is planted in what the stores hold, beside one that is right. */
import { describe, expect, it } from 'vitest';
import type { Attempt, Change, UnitStory } from '../story.js';
import type { Observation, SlotRow } from './observation.js';
import { verify } from './verify.js';

const nothing: Attempt = { changes: [], marks: [], points: 0, hasLink: false };

function story(unit: string, outcome: UnitStory['outcome'], attempt: Partial<Attempt> | undefined): UnitStory {
  return { unit, round: 1, outcome, attempts: attempt === undefined ? [] : [{ ...nothing, ...attempt }] };
}

const change = (op: Change['op'], before: readonly string[] | null, more: Partial<Change> = {}): Change => ({
  store: 'graph',
  id: 1,
  op,
  before,
  ...more,
});

function seen(
  parts: {
    slots?: readonly SlotRow[];
    relational?: readonly string[];
    document?: readonly string[];
    leftovers?: readonly string[];
    points?: Record<string, number>;
    links?: readonly string[];
    records?: Record<string, readonly string[]>;
  } = {},
): Observation {
  const { slots = [], relational = [], document = [], leftovers = [], points = {}, links = [], records = {} } = parts;
  return {
    rows: new Map([
      ['relational', { slots: [], marks: relational, leftovers: [] }],
      ['document', { slots: [], marks: document, leftovers }],
      ['graph', { slots, marks: [], leftovers: [] }],
    ]),
    links,
    points: new Map(Object.entries(points)),
    records: new Map(Object.entries(records)),
  };
}

const row = (units: string, version: number, name = 'n'): SlotRow => ({ id: 1, units, name, version });
const judge = (stories: readonly UnitStory[], observed: Observation) =>
  verify(stories, observed, 0, new Set()).violations;

const both = { marks: ['relational', 'document'] as const };

describe('a unit of work', () => {
  it.each([
    ['acknowledged and whole', story('a', 'acknowledged', both), { relational: ['a'], document: ['a'] }, undefined],
    ['acknowledged and half there', story('a', 'acknowledged', both), { relational: ['a'] }, /half there/],
    ['acknowledged and absent', story('a', 'acknowledged', both), {}, /is not there/],
    ['refused and absent', story('a', 'refused', both), {}, undefined],
    ['refused and whole', story('a', 'refused', both), { relational: ['a'], document: ['a'] }, /is there/],
    ['unknown and whole', story('a', 'unknown', both), { relational: ['a'], document: ['a'] }, undefined],
    ['unanswered and absent', story('a', 'unanswered', both), {}, undefined],
    ['unanswered and half there', story('a', 'unanswered', both), { document: ['a'] }, /half there/],
    ['never tried, and there', story('a', 'unanswered', undefined), { document: ['a'] }, /an attempt to commit/],
    ['with all its points', story('a', 'acknowledged', { points: 2 }), { points: { a: 2 } }, undefined],
    ['with a point less', story('a', 'acknowledged', { points: 2 }), { points: { a: 1 } }, /half there/],
    ['with a point more', story('a', 'acknowledged', { points: 2 }), { points: { a: 3 } }, /3 points/],
    [
      'without its relationship',
      story('a', 'acknowledged', { ...both, hasLink: true }),
      { ...both, relational: ['a'], document: ['a'] },
      /half there/,
    ],
    ['with its relationship twice', story('a', 'acknowledged', { hasLink: true }), { links: ['a', 'a'] }, /twice/],
    ['that nobody spoke of', story('a', 'refused', both), { document: ['b'] }, /mark of b/],
    ['that left a fence', story('a', 'refused', both), { leftovers: ['fence'] }, /leftover/],
  ] as const)('%s', (_, told, observed, found) => {
    const violations = judge([told], seen(observed as Parameters<typeof seen>[0]));
    if (found === undefined) expect(violations).toEqual([]);
    else expect(violations.join('\n')).toMatch(found);
  });
});

describe('a slot', () => {
  const inserted = story('a', 'acknowledged', { changes: [change('insert', null, { name: 'n' })] });
  const appended = story('b', 'acknowledged', { changes: [change('append', ['a'])] });
  const renamed = story('c', 'acknowledged', { changes: [change('append', ['a', 'b'], { name: 'm' })] });
  const deleted = story('d', 'acknowledged', { marks: ['document'], changes: [change('delete', ['a', 'b'])] });
  const again = story('e', 'acknowledged', { changes: [change('insert', null, { name: 'n' })] });

  it.each([
    ['changed in order', [inserted, appended, renamed], { slots: [row('a,b,c', 3, 'm')] }],
    [
      'changed by one whose fate nobody was told',
      [inserted, { ...appended, outcome: 'unanswered' }],
      { slots: [row('a,b', 2)] },
    ],
    ['deleted', [inserted, appended, deleted], { document: ['d'] }],
    ['deleted and inserted again', [inserted, appended, deleted, again], { document: ['d'], slots: [row('e', 1)] }],
  ] as const)('is right when %s', (_, stories, observed) => {
    expect(judge(stories as readonly UnitStory[], seen(observed))).toEqual([]);
  });

  it.each([
    [
      'lost a change that was acknowledged',
      [inserted, appended],
      { slots: [row('a', 1)] },
      /b \(acknowledged\) is not there/,
    ],
    [
      'lost a change that another had seen',
      [inserted, appended, renamed],
      { slots: [row('a,c', 2, 'm')] },
      /was changed by c/,
    ],
    ['kept a change twice', [inserted, appended], { slots: [row('a,b,b', 3)] }, /twice/],
    [
      'kept changes in another order',
      [inserted, appended, renamed],
      { slots: [row('a,c,b', 3, 'm')] },
      /was changed by/,
    ],
    [
      'kept a change that was refused',
      [inserted, { ...appended, outcome: 'refused' }],
      { slots: [row('a,b', 2)] },
      /is there/,
    ],
    ['has a gap in its versions', [inserted, appended], { slots: [row('a,b', 3)] }, /version 3 after 2/],
    ['came back from the dead', [inserted, appended, deleted], { document: ['d'], slots: [row('a,b', 2)] }, /is there/],
    ['vanished', [inserted, { ...deleted, outcome: 'refused' }], {}, /nobody deleted it/],
    [
      'was deleted over a change',
      [inserted, appended, renamed, deleted],
      { document: ['d'] },
      /c \(acknowledged\) is not there/,
    ],
    ['kept an old name', [inserted, appended, renamed], { slots: [row('a,b,c', 3, 'n')] }, /named/],
    [
      'was deleted twice',
      [inserted, appended, deleted, { ...deleted, unit: 'f' }],
      { document: ['d', 'f'] },
      /deleted by d and f/,
    ],
  ] as const)('is wrong when it %s', (_, stories, observed, found) => {
    expect(judge(stories as readonly UnitStory[], seen(observed)).join('\n')).toMatch(found);
  });
});

describe('the audit log', () => {
  const changed = story('a', 'acknowledged', {
    marks: ['relational'],
    changes: [change('delete', ['z'], { store: 'relational' })],
  });
  const before = story('z', 'acknowledged', { changes: [change('insert', null, { store: 'relational' })] });
  const log = (records: Record<string, readonly string[]>, told = changed) =>
    judge([before, told], seen({ relational: ['a'], records: { z: ['Account 1 insert'], ...records } })).join();

  it('has one record for each change', () => {
    expect(log({ a: ['Account 1 delete'] })).toBe('');
    expect(log({})).toMatch(/a \(acknowledged\) is on record with \[\]/);
    expect(log({ a: ['Account 1 delete', 'Account 1 delete'] })).toMatch(/is on record/);
    expect(log({ a: ['Account 1 update'] })).toMatch(/is on record/);
  });

  it('has none of what was refused', () => {
    const refused = story('b', 'refused', changed.attempts[0]);
    expect(judge([refused], seen({ records: { b: ['Account 1 delete'] } })).join()).toMatch(/is on record/);
  });
});

it('remembers what earlier rounds left, and asks for it again at the end', () => {
  const old = { ...story('a', 'acknowledged', both), round: 1 };
  expect(verify([old], seen(), 2, new Set(['a'])).violations).toEqual([]);
  expect(verify([old], seen(), 0, new Set(['a'])).violations.join()).toMatch(/is not there/);
});
