/**
 * A test runs, or says in the output why it does not: `context.skip(…, 'reason')` inside a test. Skipping by name,
 * silently or for ever, is not there, and neither is a test that keeps the others from running.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFiles, ROOT } from './command.mjs';

const SILENT =
  /\b(?:it|test|describe|suite|bench)(?:\.\w+)*\.(?:skip|only|todo|skipIf|runIf|fails)\b|\b(?:xit|xdescribe|fit|fdescribe)\(/;
const WITHOUT_REASON = /\b(?:ctx|context|task)\.skip\(\s*\)/;

export function findSkips(text) {
  return text.split('\n').flatMap((line, i) => {
    if (line.trimStart().startsWith('*') || line.trimStart().startsWith('//')) return [];
    if (SILENT.test(line)) return [{ line: i + 1, text: line.trim() }];
    return WITHOUT_REASON.test(line) ? [{ line: i + 1, text: `${line.trim()} (give the reason)` }] : [];
  });
}

export async function run() {
  const files = await projectFiles('packages/*.ts', 'examples/*.ts', 'docs/*.ts', 'test/*.ts', 'bench/*.ts');
  const details = [];
  for (const file of files) {
    const text = await readFile(join(ROOT, file), 'utf8');
    for (const found of findSkips(text)) details.push(`${file}:${found.line}: ${found.text}`);
  }
  return { ok: details.length === 0 && files.length > 0, summary: `${files.length} files`, details };
}
