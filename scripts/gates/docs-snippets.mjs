#!/usr/bin/env node
/**
 * Code in the docs is quoted, never typed: each `ts` block of a Markdown file names a region of a file that is
 * type-checked and run by a test, and is equal to it.
 *
 *     <!-- snippet: docs/src/first-look.ts#entities -->
 *     ```ts
 *     …
 *     ```
 *
 * The region is between `// #region entities` and `// #endregion entities`; without `#name` it is the whole file.
 * `node scripts/gates/docs-snippets.mjs --fix` writes the blocks anew.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectFiles, ROOT } from './command.mjs';

const FENCE = /^( *)```(ts|typescript|tsx)\b[^\n]*\n([\s\S]*?)^\1```/gm;
const MARK = /<!-- snippet: (\S+?)(?:#([\w-]+))? -->\s*$/;

/** Text of a region without its markers (nor those of regions inside it) and common indentation. */
export function region(source, name) {
  const lines = source.split('\n');
  let taken = lines;
  if (name !== undefined) {
    const start = lines.findIndex((line) => line.trim() === `// #region ${name}`);
    const end = lines.findIndex((line, i) => i > start && line.trim() === `// #endregion ${name}`);
    if (start < 0 || end < 0) return undefined;
    taken = lines.slice(start + 1, end);
  }
  taken = taken.filter((line) => !/^\s*\/\/ #(?:end)?region\b/.test(line));
  const indents = taken.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)[0].length);
  const indent = indents.length === 0 ? 0 : Math.min(...indents);
  return `${taken
    .map((line) => line.slice(indent))
    .join('\n')
    .replace(/^\n+|\s+$/g, '')}\n`;
}

/** Checks one Markdown text; `read` gives a file of the project by its path, or undefined. */
export async function checkMarkdown(file, text, read) {
  const problems = [];
  let blocks = 0;
  let fixed = '';
  let at = 0;
  for (const match of text.matchAll(FENCE)) {
    blocks += 1;
    const line = text.slice(0, match.index).split('\n').length;
    const mark = MARK.exec(text.slice(0, match.index));
    fixed += text.slice(at, match.index);
    at = match.index + match[0].length;
    if (mark === null) {
      problems.push(`${file}:${line}: a ts block without "<!-- snippet: path#region -->" before it`);
      fixed += match[0];
      continue;
    }
    const [, path, name] = mark;
    const source = await read(path);
    const wanted = source === undefined ? undefined : region(source, name);
    if (wanted === undefined) {
      problems.push(
        `${file}:${line}: there is no ${source === undefined ? `file ${path}` : `region ${name} in ${path}`}`,
      );
      fixed += match[0];
      continue;
    }
    const body = wanted.replace(/^(?=.)/gm, match[1]);
    if (match[3] !== body)
      problems.push(`${file}:${line}: differs from ${path}${name === undefined ? '' : `#${name}`}`);
    fixed += `${match[0].slice(0, match[0].indexOf('\n') + 1)}${body}${match[1]}\`\`\``;
  }
  return { blocks, problems, fixed: fixed + text.slice(at) };
}

async function readProjectFile(path) {
  try {
    return await readFile(join(ROOT, path), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function run({ fix = false } = {}) {
  const files = (await projectFiles('*.md')).filter(
    (path) => !path.endsWith('CHANGELOG.md') && !path.startsWith('.changeset/'),
  );
  const details = [];
  let blocks = 0;
  for (const file of files) {
    const text = await readFile(join(ROOT, file), 'utf8');
    const checked = await checkMarkdown(file, text, readProjectFile);
    blocks += checked.blocks;
    details.push(...checked.problems);
    if (fix && checked.fixed !== text) await writeFile(join(ROOT, file), checked.fixed);
  }
  return { ok: details.length === 0, summary: `${blocks} blocks in ${files.length} Markdown files`, details };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fix = process.argv.includes('--fix');
  await run({ fix });
  const { ok, summary, details } = await run();
  console.log([...details, summary].join('\n'));
  process.exitCode = ok ? 0 : 1;
}
