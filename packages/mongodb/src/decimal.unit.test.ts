import fc from 'fast-check';
import { Decimal128 } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { decodeDecimal, encodeDecimal, floorDecimal128, sortableText, toDecimal128 } from './decimal.js';

/** Decimals of up to 90 digits, many of them close to each other. */
const decimals = fc
  .tuple(fc.boolean(), fc.stringMatching(/^(0|[1-9]\d{0,40})$/), fc.stringMatching(/^\d{0,50}$/))
  .map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`);

function units(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(`${whole}${fraction.padEnd(60, '0')}`.replace(/^-0*(?=\d)/, '-'));
}

describe('decimals', () => {
  it('come back with the same value, whatever their length', () => {
    fc.assert(
      fc.property(decimals, (text) => {
        expect(units(decodeDecimal(encodeDecimal(text)))).toBe(units(text));
      }),
      { numRuns: 500 },
    );
  });

  it.each(['0', '0.00', '12.50', '-0.1', '-9999999999.99', '0.000000000000000001', '1'.repeat(34), '1'.repeat(200)])(
    '%s comes back as it was written',
    (text) => expect(decodeDecimal(encodeDecimal(text))).toBe(text),
  );

  it('are Decimal128 wherever that has room, and never rounded into it', () => {
    expect(toDecimal128('1'.repeat(34))).toBeInstanceOf(Decimal128);
    expect(toDecimal128('1'.repeat(35))).toBeUndefined();
    expect(toDecimal128(`1${'0'.repeat(40)}`)?.toString()).toBe('1E+40');
    expect(toDecimal128(`0.${'0'.repeat(6_200)}1`)).toBeUndefined();
  });

  it('have texts that sort like the numbers', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const byNumber = units(a) < units(b) ? -1 : units(a) > units(b) ? 1 : 0;
        const [x, y] = [sortableText(a), sortableText(b)];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(byNumber);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are rounded down, below zero too', () => {
    const long = '1'.repeat(40);
    expect(units(decodeDecimal(floorDecimal128(long)))).toBe(units(`${'1'.repeat(34)}000000`));
    expect(units(decodeDecimal(floorDecimal128(`-${long}`)))).toBe(units(`-${'1'.repeat(33)}2000000`));
  });
});
