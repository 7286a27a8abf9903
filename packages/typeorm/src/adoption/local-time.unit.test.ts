/** Columns without a zone mean the wall clock of the process, as `pg` reads and writes them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localTime } from './local-time.js';

describe.each(['UTC', 'America/New_York', 'Asia/Kolkata'])('in %s', (zone) => {
  const before = process.env.TZ;
  beforeEach(() => {
    process.env.TZ = zone;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });

  it.each([
    ['2024-07-01 12:00:00', () => new Date(2024, 6, 1, 12)],
    ['2024-01-01 23:59:59.987654', () => new Date(2024, 0, 1, 23, 59, 59, 987)],
    ['1815-12-10 00:00:00.5', () => new Date(1815, 11, 10, 0, 0, 0, 500)],
    ['12024-02-29 01:02:03', () => new Date(12024, 1, 29, 1, 2, 3)],
  ])('reads %s as new Date() would', (text, dateOf) => {
    const date = dateOf();
    expect(localTime.decode(text)).toBe(date.getTime());
    expect(localTime.decode(localTime.encode(date.getTime()).replace('T', ' '))).toBe(date.getTime());
  });

  it('writes the wall clock, and what is beyond it', () => {
    expect(localTime.encode(new Date(2024, 6, 1, 12, 5, 6, 7).getTime())).toBe('2024-07-01T12:05:06.007');
    expect(localTime.encode(new Date(-43, 2, 15, 9).getTime())).toMatch(/^0044-03-15T09:00:00\.000 BC$/);
    expect(localTime.decode('0044-03-15 09:00:00 BC')).toBe(new Date(-43, 2, 15, 9).getTime());
    for (const end of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(localTime.decode(localTime.encode(end))).toBe(end);
    }
  });
});

it('is tested in zones that differ', () => {
  process.env.TZ = 'Asia/Kolkata';
  expect(new Date(2024, 0).getTimezoneOffset()).toBe(-330);
  delete process.env.TZ;
});
