/** Starts a process of the application for one task and tells what came of it, also where it died. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Order } from './worker.js';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

export interface Ended {
  /** Undefined where it died before it could answer. */
  readonly result: unknown;
  /** `SIGKILL` for one that killed itself. */
  readonly signal: NodeJS.Signals | null;
}

/** Rejects with what the process says went wrong. */
export async function inProcess(order: Order): Promise<Ended> {
  const child = fork(WORKER, { execArgv: ['--conditions=@storeweave/source', '--import', 'tsx'], stdio: 'inherit' });
  let answer: Answer | undefined;
  child.once('message', (message) => {
    answer = message as Answer;
  });
  child.send(order);
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    },
  );
  if (answer !== undefined && 'error' in answer) throw new Error(answer.error);
  if (answer === undefined && signal === null) throw new Error(`The process ended with exit code ${code}.`);
  return { result: answer?.result, signal };
}
