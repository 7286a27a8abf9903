import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { likePattern, substringPattern } from './pattern.js';

/** JavaScript has no \z, and its $ without the flag m means the same. */
const compiled = (source: string) => new RegExp(source.replace(/\\z$/, '$'), 's');

describe('patterns', () => {
  it('find any text literally, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, around) => {
        expect(compiled(substringPattern(text)).test(around + text + around)).toBe(true);
        const escaped = text.replace(/[\\%_]/g, '\\$&');
        expect(compiled(likePattern(escaped)).test(text)).toBe(true);
        expect(compiled(likePattern(escaped)).test(`${text}x`)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a%', '^a'],
    ['a\\%', '^a%\\z'],
    ['a_c', '^a.c\\z'],
    ['a.*%', '^a\\.\\*'],
    ['(a|b)$', '^\\(a\\|b\\)\\$\\z'],
    ['a\0b', '^a\\x00b\\z'],
    ['%', '^'],
  ])('%s becomes %s', (pattern, expected) => expect(likePattern(pattern)).toBe(expected));

  it('refuse half of a surrogate pair, which no text in the database has', () => {
    expect(() => likePattern('\ud800')).toThrow(/surrogate/);
  });
});
