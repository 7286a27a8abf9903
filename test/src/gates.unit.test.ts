/** The gates of `npm run check` find what they are for: each is shown a mistake and something that only looks like one. */
import { expect, test } from 'vitest';

const gates = new URL('../../scripts/gates/', import.meta.url);

async function gate<T>(name: string): Promise<T> {
  return (await import(new URL(`${name}.mjs`, gates).href)) as T;
}

const read = async (path: string) =>
  path === 'a.ts' ? '// #region one\n  const x = 1;\n\n  x;\n// #endregion one\n' : undefined;

interface Snippets {
  checkMarkdown(
    file: string,
    text: string,
    read: (path: string) => Promise<string | undefined>,
  ): Promise<{ blocks: number; problems: string[]; fixed: string }>;
}

test('a ts block that equals its region is in order', async () => {
  const { checkMarkdown } = await gate<Snippets>('docs-snippets');
  const text = '# T\n\n<!-- snippet: a.ts#one -->\n```ts\nconst x = 1;\n\nx;\n```\n\n```sh\nnpm test\n```\n';
  expect(await checkMarkdown('t.md', text, read)).toEqual({ blocks: 1, problems: [], fixed: text });
});

test('a ts block that differs, has no mark or names nothing is reported with its line, and mended where it can be', async () => {
  const { checkMarkdown } = await gate<Snippets>('docs-snippets');
  const text = [
    '<!-- snippet: a.ts#one -->\n```ts\nconst x = 2;\n```',
    '```ts\nunmarked\n```',
    '<!-- snippet: a.ts#two -->\n```ts\n```',
    '<!-- snippet: b.ts -->\n```ts\n```\n',
  ].join('\n\n');
  const checked = await checkMarkdown('t.md', text, read);
  expect(checked.problems).toEqual([
    't.md:2: differs from a.ts#one',
    't.md:6: a ts block without "<!-- snippet: path#region -->" before it',
    't.md:11: there is no region two in a.ts',
    't.md:15: there is no file b.ts',
  ]);
  expect(checked.fixed).toContain('```ts\nconst x = 1;\n\nx;\n```');
  const empty = await checkMarkdown('t.md', '<!-- snippet: a.ts#one -->\n```ts\n```\n', read);
  expect(empty.fixed).toBe('<!-- snippet: a.ts#one -->\n```ts\nconst x = 1;\n\nx;\n```\n');
});

test('paths of one machine and registry hosts are found, relative paths and routes are not', async () => {
  const { findForbidden } = await gate<{ findForbidden(text: string): { line: number; what: string }[] }>(
    'forbidden-words',
  );
  const bad = [`cd ${'/ho'}me/me/project`, `"${'/wo'}rk/main"`, `https://registry.${'npm'}js.org/pg`];
  expect(findForbidden(bad.join('\n')).map(({ line }) => line)).toEqual([1, 2, 3]);
  expect(
    findForbidden([`..${'/wo'}rk/main`, './home/x', 'unit-of-work/rows.ts', '/homes/7', '/work'].join('\n')),
  ).toEqual([]);
});

test('silent skips are found, a skip with its reason is not', async () => {
  const { findSkips } = await gate<{ findSkips(text: string): { line: number }[] }>('skipped-tests');
  const bad = [`it${'.skip'}('x')`, `describe${'.only'}('x')`, `test.concurrent${'.todo'}('x')`, `context${'.skip'}()`];
  expect(findSkips(bad.join('\n')).map(({ line }) => line)).toEqual([1, 2, 3, 4]);
  expect(
    findSkips(['context.skip("needs a server")', `// it${'.skip'} is not there`, 'rows.skip(1)'].join('\n')),
  ).toEqual([]);
});

test('lines of code do not count comments and blank lines', async () => {
  const { linesOfCode } = await gate<{ linesOfCode(text: string): number }>('file-length');
  expect(linesOfCode('/**\n * why\n */\nconst a = 1;\n\n// b\n/* c */\nconst b = 2;\n')).toBe(2);
});
