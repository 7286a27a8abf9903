import { InvalidValueError, JSON_NULL } from '@storeweave/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLeaves, jsonText, leafEnd, pointer } from './json-leaves.js';

describe('json as text and leaves', () => {
  it('is the same text for equal values, and reads back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = jsonText(value);
        expect(jsonText(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(jsonText({ b: 1, a: { d: 2, c: 3 } })).toBe('{"a":{"c":3,"d":2},"b":1}');
    expect(jsonText(JSON_NULL)).toBe('null');
    expect(jsonText(JSON.parse('{"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1}}');
  });

  it('has a leaf for each value, found by its pointer and type', () => {
    expect(jsonLeaves({ n: 5, deep: { flag: true }, list: ['a', null] }).filter((leaf) => !/=[{[]/.test(leaf))).toEqual(
      ['/n=#5', '/deep/flag=!true', '/list/0="a', '/list/1=-'],
    );
    expect(jsonLeaves([])).toHaveLength(1);
  });

  it('takes no key for a part of the path or of the value', () => {
    const keys = ['a/b', 'a=#5', '~1', '~', 'a', '', '/', '=', '~2'];
    expect(new Set(keys.map((key) => pointer([key]))).size).toBe(keys.length);
    for (const key of keys) {
      const leaves = jsonLeaves({ [key]: 'x' });
      expect(leaves.filter((leaf) => leaf.startsWith(pointer([key]) + leafEnd('x')))).toHaveLength(1);
      for (const other of keys.filter((each) => each !== key))
        expect(leaves.some((leaf) => leaf.startsWith(`${pointer([other])}=`))).toBe(false);
    }
  });

  it('tells containers apart by content, whatever the order of their keys', () => {
    expect(leafEnd({ a: 1, b: 2 })).toBe(leafEnd({ b: 2, a: 1 }));
    expect(leafEnd({ a: 1 })).not.toBe(leafEnd({ a: 2 }));
    expect(leafEnd([1, 2])).not.toBe(leafEnd([2, 1]));
    expect(leafEnd([])).not.toBe(leafEnd({}));
  });

  it('refuses what no UTF-8 can carry', () => {
    for (const value of ['\ud800', ['\ud800'], { '\udfff': 1 }])
      expect(() => jsonText(value)).toThrow(InvalidValueError);
  });
});
