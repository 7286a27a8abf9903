/**
 * Runs a server so that it never outlives the process that asked for it. Between the two stands a small shell: it is
 * the server's parent (so a killed server is reaped at once and never a zombie that keeps its lock file "alive"), and
 * it waits on a pipe from us that the kernel closes however we die, SIGKILL included; then it ends the server and
 * removes the server's folder. The group is its own, so that Ctrl-C reaches the test runner and not the server.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The user that a server runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface SuperviseOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly account?: Account;
  /** Output of the server is appended here. */
  readonly log: string;
  /** Removed when we die before stopping the server. Must belong to the server's user. */
  readonly folder: string;
  /** What ends the server quickly and safely, without the `SIG`. */
  readonly stopSignal: 'INT' | 'TERM' | 'QUIT' | 'KILL';
}

export interface Supervised {
  /** Of the server itself. */
  readonly pid: number;
  /** Resolves once the server has ended and was reaped. */
  readonly ended: Promise<void>;
  isRunning(): boolean;
  /** Sends the signal and waits until the server is gone; SIGKILL after `graceMs`. */
  end(signal: NodeJS.Signals, graceMs?: number): Promise<void>;
}

// $1 log, $2 folder, $3 stop signal, rest: the command. Descriptor 3 tells the pid, 4 is the pipe that ends with us.
const GUARD = `
log=$1 folder=$2 signal=$3; shift 3
exec 4<&0
"$@" </dev/null >>"$log" 2>&1 3>&- 4<&- &
pid=$!
echo $pid >&3
exec 3>&-
(
  read -r _ <&4
  : >"$folder/.orphaned"
  kill -"$signal" $pid 2>/dev/null
  i=0
  while kill -0 $pid 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
  kill -KILL $pid 2>/dev/null
) >/dev/null 2>&1 &
watch=$!
wait $pid
if [ -e "$folder/.orphaned" ]; then rm -rf "$folder"; else kill $watch 2>/dev/null; fi
exit 0
`;

/** Starts the command; resolves when its process exists, which is before it is ready to serve. */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const guard = spawn(
    '/bin/sh',
    [
      '-c',
      GUARD,
      'storeweave-guard',
      options.log,
      options.folder,
      options.stopSignal,
      options.command,
      ...options.args,
    ],
    {
      detached: true,
      cwd: options.folder,
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', ...options.env },
      ...(options.account ?? {}),
    },
  );
  const ended = new Promise<void>((resolve, reject) => {
    guard.once('exit', () => resolve());
    guard.once('error', reject);
  });
  const pid = await Promise.race([firstLine(guard.stdio[3] as NodeJS.ReadableStream), ended.then(() => '')]);
  if (!/^\d+$/.test(pid)) throw new Error(`could not start ${options.command}: ${tail(options.log)}`);

  // Nothing of this may keep a script alive that has otherwise finished: the guard cleans up after it.
  guard.unref();
  (guard.stdin as unknown as { unref?(): void })?.unref?.();
  guard.stdin?.on('error', () => {});

  const server = Number(pid);
  const isRunning = () => guard.exitCode === null && guard.signalCode === null;
  return {
    pid: server,
    ended,
    isRunning,
    async end(signal, graceMs = 15_000) {
      if (!isRunning()) return;
      guard.ref();
      const late = setTimeout(() => isRunning() && send(server, 'SIGKILL'), graceMs);
      send(server, signal);
      await ended;
      clearTimeout(late);
    },
  };
}

/** The last lines of a log, for an error's message. */
export function tail(log: string, lines = 15): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.trim();
}
