/** Runs the job as its user does: a process of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Figures } from './questions.js';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const HERE = fileURLToPath(new URL('..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the job; `killWhen` sees what it says on standard error and ends it, with no warning, when it answers true. */
export function job(args: readonly string[], killWhen: (stderr: string) => boolean = () => false): Promise<Ended> {
  const child = spawn(process.execPath, ['--conditions=@storeweave/source', '--import', 'tsx', MAIN, ...args], {
    cwd: HERE,
    env: { ...process.env, NO_COLOR: '1', INIT_CWD: HERE },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
    if (killWhen(said.stderr)) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...said }));
  });
}

export function figuresOf(ended: Ended): Figures {
  expect(ended.stderr).toBe('');
  expect(ended.code).toBe(0);
  const lines = ended.stdout.split('\n');
  expect(lines).toHaveLength(2); // one line and its end
  return JSON.parse(ended.stdout) as Figures;
}
