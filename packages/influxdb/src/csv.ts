/**
 * Answers of the query endpoint, which are CSV in sections: an empty line, a header, then rows. Parsed here and not by
 * the client, which makes numbers of 64-bit integers and does not notice that the server ended an answer with an error.
 */
import { StoreError } from '@storeweave/core';

/** Position of each column of a section by its label. */
export type Header = ReadonlyMap<string, number>;

export interface CsvHandler {
  header(columns: Header): void;
  row(cells: readonly string[]): void;
}

/** Takes text in pieces of any size. */
export class CsvParser {
  readonly #handler: CsvHandler;
  #rest = '';
  #expectsHeader = true;
  #isError = false;

  constructor(handler: CsvHandler) {
    this.#handler = handler;
  }

  push(text: string): void {
    const all = this.#rest === '' ? text : this.#rest + text;
    let start = 0;
    let from = 0;
    for (;;) {
      const end = all.indexOf('\n', from);
      if (end < 0) break;
      const line = all.slice(start, all.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end);
      if (hasOpenQuote(line)) {
        from = end + 1;
        continue;
      }
      this.#line(line);
      start = end + 1;
      from = start;
    }
    this.#rest = all.slice(start);
  }

  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
  }

  #line(line: string): void {
    if (line === '') {
      this.#expectsHeader = true;
      return;
    }
    if (line.charCodeAt(0) === 35) return; // an annotation
    const cells = cellsOf(line);
    if (this.#expectsHeader) {
      this.#expectsHeader = false;
      // The first three columns are the annotation's, the result's name and the number of the table.
      this.#isError = cells.includes('error') && cells.includes('reference') && cells.length <= 3;
      if (!this.#isError) this.#handler.header(new Map(cells.map((label, at) => [at < 3 ? `\n${label}` : label, at])));
      return;
    }
    if (this.#isError) throw new StoreError(`InfluxDB ended its answer with an error: ${cells.join(' ').trim()}`);
    this.#handler.row(cells);
  }
}

function hasOpenQuote(line: string): boolean {
  let isOpen = false;
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) isOpen = !isOpen;
  return isOpen;
}

function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (line.charCodeAt(at) !== 34) {
      const end = line.indexOf(',', at);
      cells.push(end < 0 ? line.slice(at) : line.slice(at, end));
      if (end < 0) return cells;
      at = end + 1;
      continue;
    }
    let end = at + 1;
    for (;;) {
      end = line.indexOf('"', end);
      if (end < 0) throw new StoreError('InfluxDB sent a line of CSV whose quotes do not end.');
      if (line.charCodeAt(end + 1) !== 34) break;
      end += 2;
    }
    // The server writes a newline in a value as it ends its lines.
    cells.push(
      line
        .slice(at + 1, end)
        .replaceAll('""', '"')
        .replaceAll('\r\n', '\n'),
    );
    if (end + 1 >= line.length) return cells;
    at = end + 2;
  }
}
