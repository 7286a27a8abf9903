import { describe, expect, it } from 'vitest';
import { InvalidValueError } from '../errors/errors.js';
import { type CodecSpec, makeCodec } from './codec.js';
import { type FieldType, JSON_NULL } from './field.js';

const codec = (type: FieldType, more: Partial<CodecSpec> = {}) =>
  makeCodec({ entity: 'User', property: 'x', type, array: false, timePrecision: 'ms', ...more });

describe('values that fit come back as they were', () => {
  const bytes = Uint8Array.from([1, 2, 255]);
  it.each<[FieldType, unknown, Partial<CodecSpec>?]>([
    ['string', 'äöü', { length: 3 }],
    ['string', '👍👍👍', { length: 3 }],
    ['text', ''],
    ['integer', -2147483648],
    ['bigint', 9223372036854775807n],
    ['float', 0.1],
    ['decimal', '-12.50', { precision: 4, scale: 2 }],
    ['boolean', false],
    ['date', '2024-02-29'],
    ['timestamp', new Date(1)],
    ['timestamp', 1700000000000000001n, { timePrecision: 'ns' }],
    ['uuid', '018f3c5e-1111-7222-8333-444455556666'],
    ['json', { a: [1, null, { b: 'c' }] }],
    ['json', JSON_NULL],
    ['bytes', bytes],
    ['enum', 2, { enumValues: [1, 2] }],
    ['date', ['2024-01-01'], { array: true }],
    ['timestamp', [new Date(5)], { array: true }],
  ])('%s %s', (type, value, more = {}) => {
    const c = codec(type, more);
    const row = c.toRow(value);
    expect(c.fromRow(row)).toEqual(value);
    expect(c.equals(row, c.toRow(value))).toBe(true);
    if (c.identity) expect(row).toBe(value);
  });
});

describe('values that do not fit are refused with the property', () => {
  it.each<[FieldType, unknown, RegExp, Partial<CodecSpec>?]>([
    ['string', 1, /User\.x is string and takes a string, but was given 1/],
    ['string', 'abcd', /at most 3 characters/, { length: 3 }],
    ['integer', 1.5, /whole number/],
    ['integer', 2147483648, /32 bits/],
    ['bigint', 2n ** 63n, /64 bits/],
    ['float', '1', /a number, but was given "1"/],
    ['decimal', 1, /decimal as a string/],
    ['decimal', '1e3', /decimal as a string/],
    ['decimal', '1.234', /2 digits after/, { precision: 5, scale: 2 }],
    ['decimal', '1234', /3 digits before/, { precision: 5, scale: 2 }],
    ['boolean', 0, /true or false/],
    ['date', '2023-02-29', /calendar date/],
    ['date', new Date(), /calendar date/],
    ['timestamp', '2024-01-01', /a valid Date/],
    ['timestamp', new Date(Number.NaN), /an invalid Date/],
    ['timestamp', new Date(), /bigint of us/, { timePrecision: 'us' }],
    ['uuid', 'abc', /a UUID/],
    ['json', { a: 1n }, /JSON/],
    ['json', { a: Number.NaN }, /no such number/],
    ['json', new Map(), /JSON/],
    ['bytes', [1], /Uint8Array/],
    ['enum', 'c', /one of "a", "b"/, { enumValues: ['a', 'b'] }],
    ['text', 'a', /an array/, { array: true }],
    ['text', ['a', null], /without null/, { array: true }],
  ])('%s %s', (type, value, message, more = {}) => {
    expect(() => codec(type, more).toRow(value)).toThrow(message);
    expect(() => codec(type, more).toRow(value)).toThrow(InvalidValueError);
  });
});

describe('what a row holds', () => {
  it('does not change with the object it came from, nor the other way round', () => {
    const json = codec('json');
    const value = { list: [1] };
    const row = json.toRow(value);
    value.list.push(2);
    expect(row).toEqual({ list: [1] });
    (json.fromRow(row) as typeof value).list.push(3);
    expect(row).toEqual({ list: [1] });
    const bytes = codec('bytes');
    const buffer = Buffer.from([1]);
    const stored = bytes.toRow(buffer) as Uint8Array;
    buffer[0] = 9;
    expect([...stored]).toEqual([1]);
    expect(stored).not.toBeInstanceOf(Buffer);
  });

  it('is one spelling: uuids in lower case, decimals compared by value, json without regard to order', () => {
    expect(codec('uuid').toRow('018F3C5E-1111-7222-8333-444455556666')).toBe('018f3c5e-1111-7222-8333-444455556666');
    const decimal = codec('decimal');
    expect([decimal.equals('1.50', '1.5'), decimal.equals('-0.0', '0'), decimal.equals('1.5', '1.51')]).toEqual([
      true,
      true,
      false,
    ]);
    const json = codec('json');
    expect(json.equals({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
    expect(json.equals({ a: 1 }, { a: 1, b: undefined })).toBe(false);
    expect(json.equals([1], { 0: 1 })).toBe(false);
    expect(json.equals(JSON_NULL, null)).toBe(false);
  });

  it('keeps a key called __proto__ as a property', () => {
    const copy = codec('json').toRow(JSON.parse('{"__proto__": {"a": 1}}')) as object;
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.keys(copy)).toEqual(['__proto__']);
  });

  it('goes through the converter of the application', () => {
    const url = codec('string', { convert: { toStore: (u: URL) => u.href, fromStore: (s: string) => new URL(s) } });
    expect(url.toRow(new URL('http://a.example/b'))).toBe('http://a.example/b');
    expect(url.fromRow('http://a.example/b')).toEqual(new URL('http://a.example/b'));
    expect(url.identity).toBe(false);
  });
});
