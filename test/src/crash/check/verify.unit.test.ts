/** The checker finds what it is there to find: each mistake is planted in what the stores hold, beside one that is right. */
import { describe, expect, it } from 'vitest';
import type { Attempt, Change, UnitStory } from '../story.js';
import type { CounterRow, Observation, SlotRow } from './observation.js';
import { verify } from './verify.js';

const nothing: Attempt = { changes: [], guards: [], counts: [], doubts: [], marks: [], points: 0, hasLink: false };
/** Nobody has counted anything. */
const counters = [0, 1, 2, 3].map((id) => ({ id, shelf: id % 2, total: 0, last: null, version: 1 }));

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
    counted?: readonly CounterRow[];
    relational?: readonly string[];
    document?: readonly string[];
    leftovers?: readonly string[];
    points?: Record<string, number>;
    links?: readonly string[];
    records?: Record<string, readonly string[]>;
  } = {},
): Observation {
  const {
    slots = [],
    counted = counters,
    relational = [],
    document = [],
    leftovers = [],
    points = {},
    links = [],
    records = {},
  } = parts;
  return {
    rows: new Map([
      ['relational', { slots: [], counters, marks: relational, leftovers: [] }],
      ['document', { slots: [], counters, marks: document, leftovers }],
      ['graph', { slots, counters: counted, marks: [], leftovers: [] }],
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
    judge([before, told], seen({ relational: ['a'], records: { z: ['Account 1 insert z'], ...records } })).join();

  it('has one record for each change', () => {
    expect(log({ a: ['Account 1 delete z'] })).toBe('');
    expect(log({})).toMatch(/a \(acknowledged\) is on record with \[\]/);
    expect(log({ a: ['Account 1 delete z', 'Account 1 delete z'] })).toMatch(/is on record/);
    expect(log({ a: ['Account 1 delete'] })).toMatch(/is on record/);
    expect(log({ a: ['Account 1 delete z'], q: ['Account 2 insert q'] })).toMatch(/speaks of q/);
  });

  it('has none of what was refused', () => {
    const refused = story('b', 'refused', changed.attempts[0]);
    expect(judge([refused], seen({ records: { b: ['Account 1 delete z'] } })).join()).toMatch(/is on record/);
  });
});

it('remembers what earlier rounds left, and asks for it again at the end', () => {
  const old = { ...story('a', 'acknowledged', both), round: 1 };
  expect(verify([old], seen(), 2, new Set(['a'])).violations).toEqual([]);
  expect(verify([old], seen(), 0, new Set(['a'])).violations.join()).toMatch(/is not there/);
});

describe('a counter', () => {
  const count = (id: number, by: number, isShelf = false) => ({ store: 'graph' as const, id, by, isShelf });
  const added = story('a', 'acknowledged', { marks: ['document'], counts: [count(1, 5)] });
  const shelved = story('b', 'acknowledged', { marks: ['document'], counts: [count(1, 0, true), count(3, 0, true)] });
  const seenWith = (changes: Readonly<Record<number, Partial<CounterRow>>>) =>
    seen({ document: ['a', 'b'], counted: counters.map((row) => ({ ...row, ...changes[row.id] })) });
  const right = { 1: { total: 5, version: 3, last: 'b' }, 3: { version: 2, last: 'b' } };

  it('has everything that was added to it, once', () => {
    expect(judge([added, shelved], seenWith(right))).toEqual([]);
    const wrong = (changes: Parameters<typeof seenWith>[0]) =>
      judge([added, shelved], seenWith({ ...right, ...changes })).join();
    expect(wrong({ 1: { total: 10, version: 3, last: 'b' } })).toMatch(/is 10 and should be 5/);
    expect(wrong({ 1: { total: 5, version: 2, last: 'b' } })).toMatch(/version 2 after 2/);
    expect(wrong({ 3: { version: 2, last: null } })).toMatch(/was last changed by/);
    expect(wrong({ 0: { version: 2 } })).toMatch(/version 2 after 0/);
  });

  it('was not passed by where its shelf was changed', () => {
    const doubted = { ...shelved, attempts: shelved.attempts.map((each) => ({ ...each, doubts: ['changed 1 of 2'] })) };
    expect(judge([added, doubted], seenWith(right)).join()).toMatch(/is there and changed 1 of 2/);
  });
});

it('finds two units of work that each guarded what the other changed', () => {
  const guard = (id: number, before: readonly string[]) => ({ store: 'graph' as const, id, before });
  const first = story('a', 'acknowledged', { changes: [change('insert', null), change('insert', null, { id: 2 })] });
  const one = story('b', 'acknowledged', { changes: [change('append', ['a'])], guards: [guard(2, ['a'])] });
  const other = story('c', 'acknowledged', {
    changes: [change('append', ['a'], { id: 2 })],
    guards: [guard(1, ['a'])],
  });
  const slots = [row('a,b', 2), { ...row('a,c', 2, 'm'), id: 2 }];
  expect(judge([first, one, other], seen({ slots })).join()).toMatch(/a guard has not held: .*b before/);
  const late = { ...other, attempts: other.attempts.map((each) => ({ ...each, guards: [guard(1, ['a', 'b'])] })) };
  expect(judge([first, one, late], seen({ slots }))).toEqual([]);
});

it('finds a name that two slots have', () => {
  const two = story('a', 'acknowledged', { changes: [change('insert', null), change('insert', null, { id: 2 })] });
  expect(judge([two], seen({ slots: [row('a', 1), { ...row('a', 1), id: 2 }] })).join()).toMatch(/name n twice/);
});
