/** The command as a user runs it: a process of its own, from source. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A path beside this file. */
export const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = here('.')) {
  return spawn(
    process.execPath,
    ['--conditions=@storeweave/source', '--import', import.meta.resolve('tsx'), here('./bin.ts'), ...args],
    { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

/** Runs it to its end. */
export async function storeweave(...call: Parameters<typeof start>) {
  const child = start(...call);
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += String(text);
  });
  child.stderr.on('data', (text) => {
    err += String(text);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}
