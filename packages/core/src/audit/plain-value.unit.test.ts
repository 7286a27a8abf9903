import { describe, expect, it } from 'vitest';
import { compileDomain, defineEntity, type Field, JSON_NULL, p, type Value } from '../index.js';
import { clip, keyText, MAX_TEXT, plainValue } from './plain-value.js';

class Everything extends defineEntity({
  name: 'Everything',
  model: 'relational',
  props: {
    id: p.id('string'),
    part: p.id('bigint'),
    big: p.bigint(),
    amount: p.decimal(),
    ratio: p.float(),
    at: p.timestamp(),
    exact: p.timestamp({ precision: 'ns' }),
    data: p.json(),
    bytes: p.bytes(),
    texts: p.string({ array: true }),
    moments: p.timestamp({ array: true }),
  },
}) {}
const entity = compileDomain([Everything]).of(Everything);
const field = (name: string): Field => {
  const found = entity.fieldsByName.get(name);
  if (found === undefined) throw new Error(name);
  return found;
};

describe('a value on record', () => {
  it.each<[name: string, value: Value, shown: unknown]>([
    ['big', 2n ** 60n, '1152921504606846976'],
    ['amount', '0.10', '0.10'],
    ['ratio', 0.5, 0.5],
    ['ratio', Number.NaN, 'NaN'],
    ['ratio', Number.NEGATIVE_INFINITY, '-Infinity'],
    ['at', 0, '1970-01-01T00:00:00.000Z'],
    ['at', 9e15, '9000000000000000'],
    ['exact', 1_700_000_000_123_456_789n, '1700000000123456789'],
    ['data', JSON_NULL, null],
    ['data', { a: [1, { b: null }] }, { a: [1, { b: null }] }],
    ['bytes', new Uint8Array([1, 2, 255]), 'AQL/'],
    ['texts', ['a', 'b'], ['a', 'b']],
    ['moments', [0], ['1970-01-01T00:00:00.000Z']],
    ['texts', null, null],
    ['at', undefined, null],
  ])('of %s %o is %o', (name, value, shown) => {
    expect(plainValue(field(name), value)).toEqual(shown);
  });

  it('has nothing in it that a store takes in no text', () => {
    expect(plainValue(field('texts'), ['a\0b', '\ud83d\ude00', '\ud83d', 'x\ude00'])).toEqual([
      'a\ufffdb',
      '\ud83d\ude00',
      '\ufffd',
      'x\ufffd',
    ]);
    expect(plainValue(field('data'), { 'k\0': ['v\0', { deep: '\0' }] })).toEqual({
      'k\ufffd': ['v\ufffd', { deep: '\ufffd' }],
    });
  });
});

describe('a key on record', () => {
  it('is the id, or an object of its parts', () => {
    expect(keyText(entity, ['a', 7n])).toBe('{"id":"a","part":"7"}');
  });

  it('is cut where it is too long, and still its own', () => {
    const [a, b] = ['x', 'y'].map((end) => clip(`${'k'.repeat(600)}${end}`));
    expect(a?.length).toBeLessThanOrEqual(MAX_TEXT);
    expect(a).not.toBe(b);
    expect(clip('k'.repeat(MAX_TEXT))).toBe('k'.repeat(MAX_TEXT));
  });
});
