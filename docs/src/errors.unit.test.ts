/** docs/errors.md and the error classes that core exports say the same, each about the other. */
import { readFile } from 'node:fs/promises';
import * as core from '@storeweave/core';
import { expect, test } from 'vitest';

interface Described {
  readonly code: string;
  readonly name: string;
  readonly retried: boolean;
}

const ROW = /^\| `(?<code>\w+)` \| `(?<name>\w+)` \| (?<retried>yes|no) \| (?<text>.+) \|$/;

async function documented(): Promise<(Described & { text: string })[]> {
  const page = await readFile(new URL('../errors.md', import.meta.url), 'utf8');
  return page.split('\n').flatMap((line) => {
    const row = ROW.exec(line)?.groups;
    if (row === undefined) return [];
    const { code = '', name = '', retried, text = '' } = row;
    return [{ code, name, retried: retried === 'yes', text }];
  });
}

function exported(): Described[] {
  return Object.entries(core).flatMap(([name, value]) => {
    if (typeof value !== 'function' || !(value.prototype instanceof core.StoreweaveError)) return [];
    // Every class takes a message (MetadataError a list of problems) as its first argument.
    const error = Reflect.construct(value, [name === 'MetadataError' ? [] : 'a message']) as core.StoreweaveError;
    expect(error.name).toBe(name);
    return [{ code: error.code, name, retried: error.isRetryable }];
  });
}

const byCode = (a: Described, b: Described) => (a.code < b.code ? -1 : 1);

test('the table of errors and the exported classes are the same set', async () => {
  const rows = (await documented()).map(({ code, name, retried }) => ({ code, name, retried }));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.sort(byCode)).toEqual(exported().sort(byCode));
});

test('each code stands once, and each row says something', async () => {
  const rows = await documented();
  expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length);
  for (const row of rows) expect(row.text.length, row.code).toBeGreaterThan(30);
});
