/** Servers that refuse to run as root are handed to another account of the machine. */
import { readFileSync } from 'node:fs';
import type { Account } from './supervise.js';

/** The first of these that the machine has; undefined where we are not root and need none. */
export function serverAccount(names: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of names) {
    const entry = entries.find(([user]) => user === name);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  return undefined;
}
