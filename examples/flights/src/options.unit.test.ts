/** The command line: what is asked for, and what each mistake is answered with. */
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readOptions, UsageError } from './options.js';

const read = (...args: string[]) => readOptions(args, resolve('/somewhere'));

test('without options: 20,000 flights in a folder of the example', () => {
  expect(read()).toMatchObject({ flights: '20k', fresh: false, json: false, chunk: 5000 });
  expect(read()?.data.endsWith(join('examples', 'flights', 'data', '20k'))).toBe(true);
  expect(read()?.url).toBeUndefined();
});

test('folders are relative to where the command was given', () => {
  expect(read('--data', 'here', '--source', '../there')).toMatchObject({
    data: resolve('/somewhere/here'),
    source: resolve('/there'),
  });
});

test('a server by its URL', () => {
  const url = 'postgres://user:secret@localhost:5432/flights';
  expect(read('--stores', url, '--flights', '3m', '--fresh', '--json')).toMatchObject({
    url,
    flights: '3m',
    fresh: true,
  });
  expect(read('--stores', 'embedded')).toMatchObject({ real: false });
  expect(read('--stores', 'embedded')?.url).toBeUndefined();
  expect(read('--stores', 'real')).toMatchObject({ real: true });
});

test('help is no mistake', () => {
  expect(read('--help')).toBeUndefined();
});

test.each([
  [['--flight', '3m'], /Unknown option '--flight'/],
  [['--flights', '4m'], /--flights takes 20k or 3m, not '4m'/],
  [['--flights', 'toString'], /not 'toString'/],
  [['--flights'], /'--flights <value>' argument missing/],
  [['now'], /Unexpected argument 'now'/],
  [['--chunk', '0'], /--chunk takes a whole number/],
  [['--stores', 'mongodb'], /--stores takes 'embedded', 'real' or a URL/],
  [['--stores', 'real', '--data', 'x'], /--data is the folder of the embedded database/],
  [['--stores', 'postgres://a:b@h/d', '--data', 'x'], /--data is the folder of the embedded database/],
])('%j is answered with what would be understood', (args, message) => {
  expect(() => read(...args)).toThrow(UsageError);
  expect(() => read(...args)).toThrow(message);
});

test('a password in a URL that is not understood is not repeated', () => {
  expect(() => read('--stores', 'mysql://root:secret@host/db')).toThrow(/mysql:\/\/root:\*\*\*@host\/db/);
});
