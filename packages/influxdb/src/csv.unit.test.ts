import { StoreError } from '@storeweave/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvParser } from './csv.js';

function parse(pieces: readonly string[]): { headers: string[][]; rows: (readonly string[])[] } {
  const headers: string[][] = [];
  const rows: (readonly string[])[] = [];
  const parser = new CsvParser({
    header: (columns) => headers.push([...columns.keys()].map((label) => label.trim())),
    row: (cells) => rows.push(cells),
  });
  for (const piece of pieces) parser.push(piece);
  parser.end();
  return { headers, rows };
}

const quoted = (text: string) =>
  /[",\n\r#]/.test(text) ? `"${text.replaceAll('"', '""').replaceAll('\n', '\r\n')}"` : text;

describe('CSV of the query endpoint', () => {
  it('is the same in whatever pieces it comes', () => {
    const cell = fc.array(fc.constantFrom('a', ',', '"', '\n', '#', 'ü', ' ')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(60), { maxLength: 10 }),
        (rows, cuts) => {
          const lines = rows.map(([one, two]) => `,_result,0,${quoted(one)},${quoted(two)}\r\n`);
          const text = `,result,table,one,two\r\n${lines.join('')}\r\n`;
          const places = [...new Set(cuts)].sort((a, b) => a - b);
          const pieces = [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length));
          const found = parse(pieces);
          expect(found.rows.map((row) => row.slice(3))).toEqual(rows);
          expect(found.headers).toEqual([['', 'result', 'table', 'one', 'two']]);
        },
      ),
    );
  });

  it('has a header for each section, and annotations that are passed over', () => {
    const { headers, rows } = parse([
      '#datatype,string,long,string\r\n,result,table,a\r\n,_result,0,1\r\n\r\n,result,table,b,c\r\n,_result,1,2,3\r\n',
    ]);
    expect(headers).toEqual([
      ['', 'result', 'table', 'a'],
      ['', 'result', 'table', 'b', 'c'],
    ]);
    expect(rows.map((row) => row.slice(3))).toEqual([['1'], ['2', '3']]);
  });

  it('that ends with an error is an error', () => {
    const answer =
      ',result,table,a\r\n,_result,0,1\r\n\r\n\r\n,error,reference\r\n,"runtime error: in the middle",897\r\n';
    expect(() => parse([answer])).toThrow(StoreError);
    expect(() => parse([answer])).toThrow(/in the middle/);
  });
});
