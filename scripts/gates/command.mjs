/** How gates run programs and find files: without a shell, from the root of the project, output kept for the report. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Resolves to `{ ok, code, stdout, stderr }`; rejects only where the program cannot be started. */
export function command(program, args, { cwd = ROOT, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8');
      child[stream].on('data', (text) => {
        out[stream] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ok: code === 0, code: code ?? signal, ...out }));
  });
}

/** Runs a tool that the workspace has installed. */
export function tool(name, args, options) {
  return command(join(ROOT, 'node_modules', '.bin', name), args, options);
}

/** What a failed program said, as lines for the report. */
export function said({ stdout, stderr }, limit = 60) {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('npm warn'));
  return lines.length <= limit ? lines : [...lines.slice(0, limit), `… and ${lines.length - limit} more lines`];
}

/** Files that are in the repository or about to be, relative to the root. */
export async function projectFiles(...patterns) {
  const listed = await command('git', [
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--',
    ...patterns,
  ]);
  if (!listed.ok) throw new Error(`git ls-files failed: ${listed.stderr}`);
  const deleted = await command('git', ['ls-files', '-z', '--deleted']);
  const gone = new Set(deleted.stdout.split('\0'));
  return [...new Set(listed.stdout.split('\0'))].filter((path) => path !== '' && !gone.has(path)).sort();
}
