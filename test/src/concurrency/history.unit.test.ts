/** The checker of histories accepts one that is right and finds each mistake that is planted in it. */
import { expect, it } from 'vitest';
import { type Append, checkHistory, type History } from './history.js';

const append = (token: string, began: number, reads: Append['reads'], more: Partial<Append> = {}): Append => ({
  token,
  began,
  ended: began + 1,
  reads,
  outcome: 'acknowledged',
  isApplied: true,
  ...more,
});

const a = append('a', 0, { l: [], r: [] });
const b = append('b', 2, { l: ['a'] });
const c = append('c', 4, { l: ['a', 'b'], r: ['a'] });
const right: History = {
  appends: [a, b, c, append('d', 4, { r: ['a'] }, { outcome: 'refused' })],
  looks: [
    { list: 'l', began: 2, tokens: ['a'] },
    { list: 'l', began: 9, tokens: ['a', 'b', 'c'] },
  ],
  lists: { l: ['a', 'b', 'c'], r: ['a', 'c'] },
};

it('accepts what one order explains', () => {
  expect(checkHistory(right)).toEqual([]);
  const unknown = append('e', 6, { l: ['a', 'b', 'c'] }, { outcome: 'unknown', ended: undefined, isApplied: false });
  expect(checkHistory({ ...right, appends: [...right.appends, unknown] })).toEqual([]);
  expect(
    checkHistory({
      ...right,
      appends: [...right.appends, unknown],
      lists: { ...right.lists, l: ['a', 'b', 'c', 'e'] },
    }),
  ).toEqual([]);
});

it.each<[string, Partial<History>, RegExp]>([
  ['a lost append', { lists: { l: ['a', 'b', 'c'], r: ['a'] } }, /c is in l only/],
  ['one that is lost everywhere', { lists: { l: ['a', 'b'], r: ['a'] } }, /c was acknowledged and is lost/],
  ['a repeated append', { lists: { l: ['a', 'b', 'c', 'b'], r: ['a', 'c'] } }, /twice/],
  ['appends in another order than they came', { lists: { l: ['b', 'a', 'c'], r: ['a', 'c'] } }, /began after/],
  [
    'one that did not see its predecessor',
    { appends: [a, b, { ...c, reads: { l: ['a'], r: ['a'] } }] },
    /stands after/,
  ],
  ['one that was refused', { lists: { l: ['a', 'b', 'c'], r: ['a', 'c', 'd'] } }, /refused/],
  ['a token of nobody', { lists: { l: ['a', 'b', 'c', 'x'], r: ['a', 'c'] } }, /nobody/],
  ['a look at what never was', { looks: [{ list: 'l', began: 3, tokens: ['a', 'c'] }] }, /was seen as/],
  ['a look that is too old', { looks: [{ list: 'l', began: 9, tokens: ['a'] }] }, /seen without b/],
  ['two orders', { lists: { l: ['c', 'b', 'a'], r: ['a', 'c'] } }, /different orders/],
])('finds %s', (_, planted, found) => {
  expect(checkHistory({ ...right, ...planted }).join('\n')).toMatch(found);
});
