import { InvalidValueError } from '@storeweave/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDecimals, decodeDecimal, encodeDecimal } from './decimal.js';

/** Units at a scale of 12: exact, and compared by JavaScript itself. */
const number = fc.record({ units: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), scale: fc.nat({ max: 12 }) });
const textOf = ({ units, scale }: { units: bigint; scale: number }) => {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return units < 0n ? `-${text}` : text;
};
const exact = ({ units, scale }: { units: bigint; scale: number }) => units * 10n ** BigInt(12 - scale);

describe('decimals as text', () => {
  it('has the order of the numbers, and one spelling for each', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const [left, right] = [encodeDecimal(textOf(a)), encodeDecimal(textOf(b))];
        const order = exact(a) < exact(b) ? -1 : exact(a) > exact(b) ? 1 : 0;
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(order);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives the number back, and with a scale all its digits', () => {
    fc.assert(
      fc.property(number, (given) => {
        const text = textOf(given);
        expect(encodeDecimal(decodeDecimal(encodeDecimal(text)))).toBe(encodeDecimal(text));
        if (given.scale > 0 && given.units !== 0n) expect(decodeDecimal(encodeDecimal(text), given.scale)).toBe(text);
      }),
    );
    expect(decodeDecimal(encodeDecimal('-12.50'))).toBe('-12.5');
    expect(decodeDecimal(encodeDecimal('-0.00'), 2)).toBe('0.00');
    expect([encodeDecimal('12.50'), encodeDecimal('+012.5'), encodeDecimal('-12.5')]).toEqual([
      '0002:12.5',
      '0002:12.5',
      '-9997:87.4~',
    ]);
  });

  it('adds exactly', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const sum = addDecimals(textOf(a), textOf(b));
        expect(encodeDecimal(sum)).toBe(encodeDecimal(textOf({ units: exact(a) + exact(b), scale: 12 })));
      }),
    );
  });

  it('refuses what is no decimal or has too many digits', () => {
    for (const text of ['', 'x', '1e5', '1.2.3', '9'.repeat(10_000)])
      expect(() => encodeDecimal(text), text.slice(0, 9)).toThrow(InvalidValueError);
  });
});
