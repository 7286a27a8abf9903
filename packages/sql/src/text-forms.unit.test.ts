/** Text forms that need no server to be checked: arrays, instants, types, names of statements. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayLiteral, parseArrayLiteral, quoteElement } from './array-literal.js';
import { castType, columnType } from './column-type.js';
import { quoteTable } from './identifier.js';
import { sampleField } from './sample-model.fixture.js';
import { StatementNames } from './statement-names.js';
import { microsToTimestamp, msToTimestamp, timestampToMicros, timestampToMs } from './timestamp-text.js';

const text = fc.string({ unit: 'binary' });

describe('array literals', () => {
  it('come back as they were written, nulls and nesting included', () => {
    const { nested } = fc.letrec<{ nested: unknown }>((tie) => ({
      nested: fc.oneof({ maxDepth: 3 }, fc.option(text), fc.array(tie('nested'), { maxLength: 4 })),
    }));
    const write = (value: unknown): string =>
      Array.isArray(value) ? arrayLiteral(value, write) : quoteElement(String(value));
    fc.assert(
      fc.property(fc.array(nested, { maxLength: 5 }), (value) => {
        expect(parseArrayLiteral(write(value), (element) => element)).toStrictEqual(value);
      }),
    );
  });

  it('are read as the server writes them', () => {
    const same = (element: string) => element;
    expect(parseArrayLiteral('{}', same)).toStrictEqual([]);
    expect(parseArrayLiteral('{a,NULL,"NULL","",x y}', same)).toStrictEqual(['a', null, 'NULL', '', 'x y']);
    expect(parseArrayLiteral('[0:1]={1,2}', Number)).toStrictEqual([1, 2]);
    expect(parseArrayLiteral('{{1,2},{3,NULL}}', Number)).toStrictEqual([
      [1, 2],
      [3, null],
    ]);
    for (const broken of ['', 'x', '{', '{"a']) expect(() => parseArrayLiteral(broken, same)).toThrow(/array/);
  });
});

describe('instants', () => {
  it('agree with Date in every year that has four digits', () => {
    const years = { min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(years), fc.constantFrom('+00', '+05:30', '-03', '-11:30:15'), (date, zone) => {
        const [hours = 0, minutes = 0, seconds = 0] = zone.split(':').map(Number);
        const sign = zone.startsWith('-') ? -1 : 1;
        const offset = sign * (Math.abs(hours) * 3600 + minutes * 60 + seconds) * 1000;
        const local = new Date(date.getTime() + offset);
        if (local.getUTCFullYear() < 1 || local.getUTCFullYear() > 9999) return;
        const written = local
          .toISOString()
          .slice(0, 23)
          .replace('T', ' ')
          .replace(/\.?0+$/, (tail) => (tail.startsWith('.') ? '' : tail));
        const trimmed = /\.\d+$/.test(written) ? written.replace(/0+$/, '').replace(/\.$/, '') : written;
        expect(timestampToMs(`${trimmed}${zone}`)).toBe(date.getTime());
      }),
      { numRuns: 500 },
    );
  });

  it('are written so that they are read as the same', () => {
    const any = fc.integer({ min: -210_000_000_000_000, max: 8_640_000_000_000_000 });
    fc.assert(
      fc.property(any, (ms) => {
        expect(timestampToMs(msToTimestamp(ms).replace('T', ' ').replace('Z', '+00'))).toBe(ms);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -210_000_000_000_000_000n, max: 8_640_000_000_000_000_000n }), (micros) => {
        expect(timestampToMicros(microsToTimestamp(micros).replace('Z', '+00'))).toBe(micros);
      }),
    );
  });

  it('have the years before 1 and the infinities of the server', () => {
    expect(msToTimestamp(-62_167_219_200_001)).toBe('0002-12-31T23:59:59.999Z BC');
    expect(timestampToMs('0001-01-01 00:00:00+00 BC')).toBe(
      Date.UTC(0, 0, 1) - (Date.UTC(1900, 0, 1) - new Date('0000-01-01').getTime()),
    );
    expect(timestampToMs('infinity')).toBe(Number.POSITIVE_INFINITY);
    expect(timestampToMs('-infinity')).toBe(Number.NEGATIVE_INFINITY);
    expect(() => timestampToMs('tomorrow')).toThrow(/not a timestamp/);
  });
});

describe('types', () => {
  it('are cast without what would cut a value silently', () => {
    const string = sampleField('s', 0, { type: 'string', length: 3, array: true });
    expect(columnType(string)).toBe('character varying(3)[]');
    expect(castType(columnType(string))).toBe('character varying[]');
    const decimal = sampleField('d', 0, { type: 'decimal', precision: 10, scale: 2 });
    expect(castType(columnType(decimal))).toBe('numeric');
    const timestamp = sampleField('t', 0, { type: 'timestamp' });
    expect(columnType(timestamp)).toBe('timestamp(3) with time zone');
    expect(castType(columnType(timestamp))).toBe('timestamp with time zone');
    expect(castType('"odd(1)"."type(2)"')).toBe('"odd(1)"."type(2)"');
  });

  it('quotes names', () => expect(quoteTable('a"b', 'c.d')).toBe('"c.d"."a""b"'));
});

describe('names of statements', () => {
  it('go to texts that come often, and to no more than a session can bear', () => {
    const names = new StatementNames();
    expect([names.nameOf('a'), names.nameOf('a')]).toStrictEqual([undefined, undefined]);
    const name = names.nameOf('a');
    expect(name).toBeDefined();
    expect(names.nameOf('a')).toBe(name);
    const made = new Set<string | undefined>();
    for (let n = 0; n < 1000; n++) for (let use = 0; use < 4; use++) made.add(names.nameOf(`text ${n}`));
    expect(made.size).toBeLessThanOrEqual(257);
    names.forget();
    for (let use = 0; use < 3; use++) names.nameOf('a');
    expect(names.nameOf('a')).not.toBe(name);
    const off = new StatementNames(false);
    for (let use = 0; use < 9; use++) expect(off.nameOf('a')).toBeUndefined();
  });
});
