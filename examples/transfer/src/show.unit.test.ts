/** What the example calls whole, and what it does not let pass; and its command line. */
import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from './options.js';
import type { Seen } from './outside.js';
import { outcomeOf } from './show.js';

function books(ada: number, payments: readonly number[], rest: Partial<Seen> = {}): Seen {
  const accounts = [
    { owner: 'Ada', cents: ada },
    { owner: 'Bob', cents: 100 - ada },
  ];
  return {
    accounts,
    journal: [],
    ledgers: [{ balances: accounts }],
    payments: payments.map((cents) => ({ cents })),
    points: payments,
    ...rest,
  };
}

describe('a transfer', () => {
  it('is whole where all four databases have it, and absent where none has', () => {
    expect(outcomeOf(books(100, []), books(70, [30]), 30)).toBe('whole');
    expect(outcomeOf(books(70, [30]), books(70, [30]), 20)).toBe('absent');
  });

  it.each([
    ['a row of the journal', { journal: ['unit'] }],
    ['a fence', { payments: [{ cents: 30, fence: { unitOfWork: 'unit', op: 'insert' } }] }],
    ['a lost point', { points: [] }],
    ['a point too many', { points: [30, 30] }],
    ['a lost document', { ledgers: [] }],
    ['money from nowhere', { accounts: [{ owner: 'Ada', cents: 100 }] }],
  ] satisfies [string, Partial<Seen>][])('is half done with %s', (_, rest) => {
    expect(outcomeOf(books(100, []), books(70, [30], rest), 30)).toBe('half');
  });
});

describe('the command line', () => {
  it('names a moment, all of them, or none', () => {
    expect(readOptions([])).toEqual({ kills: [], json: false });
    expect(readOptions(['--kill', 'decide', '--json'])).toEqual({ kills: ['decide'], json: true });
    expect(readOptions(['--kill', 'apply,fence'])?.kills).toEqual(['apply', 'fence']);
    expect(readOptions(['--kill', 'all'])?.kills).toEqual(['claim', 'fence', 'decide', 'apply', 'done']);
    expect(readOptions(['--help'])).toBeUndefined();
  });

  it('says what it would understand', () => {
    expect(() => readOptions(['--kill', 'commit'])).toThrow(/claim, fence, decide, apply, done or all, not 'commit'/);
    expect(() => readOptions(['--whatever'])).toThrow(UsageError);
  });
});
