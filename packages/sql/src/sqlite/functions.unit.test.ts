import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateFunctions, functions } from './functions.js';

const call = (name: string, ...args: unknown[]) => (functions[name] as (...given: unknown[]) => unknown)(...args);

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat({ max: 12 }))
  .map(([digits, scale]) => {
    const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
    const plain = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
    return { text: digits < 0n ? `-${plain}` : plain, value: digits * 10n ** BigInt(12 - scale) };
  });

describe('functions for SQLite', () => {
  it('keys of decimals are in the order of the numbers, and equal for equal ones', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const [left, right] = [call('sw_decimal_key', a.text) as string, call('sw_decimal_key', b.text) as string];
        const [order, expected] = [
          left < right ? -1 : Number(left > right),
          a.value < b.value ? -1 : Number(a.value > b.value),
        ];
        expect(order).toBe(expected);
      }),
    );
  });

  it('sums are exact', () => {
    const fold = aggregateFunctions.find(({ name }) => name === 'sw_sum')?.fold ?? (() => '');
    fc.assert(
      fc.property(fc.array(decimal, { minLength: 1 }), (all) => {
        const sum = all.reduce<string | null>((soFar, { text }) => fold(soFar, text), null) ?? '';
        const [whole = '', fraction = ''] = sum.replace('-', '').split('.');
        const scaled = BigInt(whole + fraction.padEnd(12, '0'));
        expect(sum.startsWith('-') ? -scaled : scaled).toBe(all.reduce((total, { value }) => total + value, 0n));
      }),
    );
  });

  it("contains JSON in PostgreSQL's sense of @>", () => {
    const contains = (whole: unknown, part: unknown) =>
      call('sw_json_contains', JSON.stringify(whole), JSON.stringify(part));
    expect(contains([[1, 2]], [1])).toBe(0);
    expect(contains([1, 2], 1)).toBe(1);
    expect(contains([{ a: 1 }], { a: 1 })).toBe(0);
    expect(contains({ a: [1, { b: 2, c: 3 }] }, { a: [{ b: 2 }] })).toBe(1);
    expect(contains({ a: null }, { a: null })).toBe(1);
    expect(contains({ a: '1' }, { a: 1 })).toBe(0);
  });

  it('refuses a whole number that its column would not hold', () => {
    expect(call('sw_add', '2147483646', '1', 32)).toBe('2147483647');
    expect(() => call('sw_add', '2147483647', '1', 32)).toThrow(/out of range/);
    expect(() => call('sw_add', '-9223372036854775808', '-1', 64)).toThrow(/out of range/);
  });
});
