import { describe, expect, it } from 'vitest';
import { positional } from './positional.js';

describe('positional', () => {
  it('puts values in the order of their places, as often as they are named', () => {
    expect(positional('select $2, $1 where a = $2', ['x', 'y'])).toEqual({
      text: 'select ?, ? where a = ?',
      values: ['y', 'x', 'y'],
    });
  });

  it('leaves names and texts alone, whatever is in them', () => {
    const text = "select `$1``$2`, '$1''$2', '\\'$1', '$[0]' from t where a like $1 escape '\\\\' and b = $2";
    expect(positional(text, ['x', null])).toEqual({
      text: "select `$1``$2`, '$1''$2', '\\'$1', '$[0]' from t where a like ? escape '\\\\' and b = ?",
      values: ['x', null],
    });
  });
});
