/** Programs that are run to their end, to build or install a server: what they printed, or why they failed. */
import { spawn } from 'node:child_process';

export interface RunOptions {
  /** Default: ours. */
  readonly cwd?: string;
  /** Added to ours. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Resolves with what the program printed. It ends with us, at the latest. Rejects with the last lines of its output. */
export function run(command: string, args: readonly string[], { cwd, env }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    // Maven complains on stdout.
    let said = '';
    const hear = (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4_000);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      out.push(chunk);
      hear(chunk);
    });
    child.stderr.on('data', hear);
    const end = () => child.kill();
    process.once('exit', end);
    child.once('error', (error) => {
      process.off('exit', end);
      reject(error);
    });
    child.once('close', (status) => {
      process.off('exit', end);
      if (status === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`${command} ${args[0]} ended with ${status}: ${lastLines(said, 5)}`));
    });
  });
}

function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join(' | ');
}
