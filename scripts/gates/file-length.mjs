/** No file has more than 400 lines of code: one that grows past it asks for a second room. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFiles, ROOT } from './command.mjs';

const LIMIT = 400;

export function linesOfCode(text) {
  let inComment = false;
  let lines = 0;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (inComment) {
      if (line.includes('*/')) inComment = false;
      continue;
    }
    if (line === '' || line.startsWith('//')) continue;
    if (line.startsWith('/*')) {
      inComment = !line.includes('*/');
      continue;
    }
    lines += 1;
  }
  return lines;
}

export async function run() {
  const files = await projectFiles('*.ts', '*.mjs', '*.cjs', '*.js');
  const details = [];
  for (const file of files) {
    const lines = linesOfCode(await readFile(join(ROOT, file), 'utf8'));
    if (lines > LIMIT) details.push(`${file}: ${lines} lines of code, the limit is ${LIMIT}`);
  }
  return {
    ok: details.length === 0 && files.length > 0,
    summary: `${files.length} files of at most ${LIMIT} lines`,
    details,
  };
}
