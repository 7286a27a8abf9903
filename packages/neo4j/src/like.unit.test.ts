import { describe, expect, it } from 'vitest';
import { likeOf } from './like.js';

describe('like patterns', () => {
  it('uses the operator that an index knows where there is one', () => {
    expect(likeOf('abc%', false)).toEqual({ operator: 'STARTS WITH', text: 'abc' });
    expect(likeOf('%abc', false)).toEqual({ operator: 'ENDS WITH', text: 'abc' });
    expect(likeOf('%a\\%c%', false)).toEqual({ operator: 'CONTAINS', text: 'a%c' });
    expect(likeOf('a\\_c', false)).toEqual({ operator: '=', text: 'a_c' });
    expect(likeOf('', false)).toEqual({ operator: '=', text: '' });
    expect(likeOf('%%', false)).toEqual({ operator: 'ENDS WITH', text: '' });
  });

  it('takes the meaning from all that a regular expression knows', () => {
    const { operator, text } = likeOf('a_[b].*(c)\\\\E%d', false);
    expect([operator, text]).toEqual(['=~', '(?s)a.\\[b\\]\\.\\*\\(c\\)\\\\E.*d']);
    expect(likeOf('ABC', true)).toEqual({ operator: '=~', text: '(?isu)ABC' });
  });
});
