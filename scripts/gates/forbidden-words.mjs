/**
 * Nothing in the repository ties it to one machine: no absolute path of somebody's disk, no host of a package
 * registry (a mirror or a proxy must serve as well).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFiles, ROOT } from './command.mjs';

/** Put together from pieces, or this file would find itself. */
const WORDS = [
  {
    what: 'absolute path of one machine',
    pattern: new RegExp(`(?<![\\w.~:/@*-])/(?:${['home', 'root', 'Users', 'work'].join('|')})/[\\w.-]+`),
  },
  { what: 'absolute path of one machine', pattern: /\b[A-Z]:\\Users\\/ },
  {
    what: 'host of a package registry',
    pattern: new RegExp(
      ['npmjs', 'yarnpkg', 'pypi', 'pythonhosted', 'crates', 'maven']
        .map((name) => `\\b(?:[\\w-]+\\.)*${name}\\.(?:org|com|io)\\b`)
        .join('|'),
    ),
  },
];

export function findForbidden(text) {
  return text.split('\n').flatMap((line, i) => {
    const word = WORDS.find(({ pattern }) => pattern.test(line));
    return word === undefined ? [] : [{ line: i + 1, what: word.what, text: word.pattern.exec(line)?.[0] }];
  });
}

export async function run() {
  const files = await projectFiles();
  const details = [];
  for (const file of files) {
    const bytes = await readFile(join(ROOT, file));
    if (bytes.includes(0)) continue;
    for (const found of findForbidden(bytes.toString('utf8')))
      details.push(`${file}:${found.line}: ${found.what}: ${found.text}`);
  }
  return { ok: details.length === 0, summary: `${files.length} files`, details };
}
