import { InvalidValueError, type TimePrecision } from '@storeweave/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromDate, fromDateTime, toDate, toDateTime } from './temporal.js';

/** As the driver answers with `useBigInt`. */
const asAnswered = (value: object) =>
  Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, typeof part === 'number' ? BigInt(part) : part]),
  );

describe('times', () => {
  it('keeps every instant in its precision, before and after 1970', () => {
    const keeps = (value: number | bigint, precision: TimePrecision) => {
      expect(fromDateTime(asAnswered(toDateTime(value, precision)), precision)).toBe(value);
    };
    const ms = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
    fc.assert(fc.property(ms, (value) => keeps(value, 'ms')));
    const fine = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
    for (const precision of ['us', 'ns'] as const) fc.assert(fc.property(fine, (value) => keeps(value, precision)));
  });

  it('reads instants with an offset, as others may have written them', () => {
    const value = { ...asAnswered(toDateTime(0, 'ms')), hour: 2n, timeZoneOffsetSeconds: 7_200n };
    expect(fromDateTime(value, 'ms')).toBe(0);
  });

  it('refuses instants that no date has', () => {
    expect(() => toDateTime(2n ** 90n, 'ns')).toThrow(InvalidValueError);
  });

  it('keeps calendar dates', () => {
    for (const text of ['0001-01-01', '2024-02-29', '9999-12-31', '12345-01-01'])
      expect(fromDate(asAnswered(toDate(text)))).toBe(text);
  });
});
