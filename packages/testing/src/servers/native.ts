/**
 * A server as a child of ours in a temporary folder: started on a free port, tried again where the port was taken in
 * between, waited for until it answers, killed and restarted on the same port and data. What is particular to a product
 * is its command and how one sees that it answers.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '@storeweave/core';
import { freePort } from './ports.js';
import type { Running } from './server.js';
import { type Supervised, type SuperviseOptions, supervise, tail } from './supervise.js';

export interface NativeProgram {
  /** For messages. */
  readonly product: string;
  /** Belongs to the server's user, and is removed at the end. `server.log` in it gets the output. */
  readonly folder: string;
  command(port: number): Pick<SuperviseOptions, 'command' | 'args' | 'env' | 'account'>;
  /** Whether it answers. */
  answers(port: number): Promise<boolean>;
  /** What ends it quickly and safely, without the `SIG`. */
  readonly stopSignal: SuperviseOptions['stopSignal'];
  /** What ends it at `stop`, after which its data are removed. Default: `stopSignal`. */
  readonly discardSignal?: SuperviseOptions['stopSignal'];
  /** Limit on a start, in milliseconds. Default: 30,000. */
  readonly startLimitMs?: number;
  /** Between two questions whether it answers, in milliseconds. Default: 30. */
  readonly pollMs?: number;
  /** What its log says where starting it again may help, beside a port that is taken. */
  readonly passing?: RegExp;
}

/** Resolves when it answers. Throws `ConfigurationError` with the end of its log where it does not start. */
export async function runNatively(program: NativeProgram): Promise<Running & { readonly port: number }> {
  const { product, folder, stopSignal } = program;
  const log = join(folder, 'server.log');
  let server: Supervised | undefined;
  let port = 0;

  const start = async () => {
    const deadline = Date.now() + (program.startLimitMs ?? 30_000);
    for (;;) {
      const candidate = port === 0 ? await freePort() : port;
      const logged = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
      const started = await supervise({ ...program.command(candidate), log, folder, stopSignal });
      while (started.isRunning() && Date.now() < deadline) {
        if (await program.answers(candidate)) {
          server = started;
          port = candidate;
          return;
        }
        await sleep(program.pollMs ?? 30);
      }
      await started.end('SIGKILL');
      const said = readFileSync(log).subarray(logged).toString();
      const isPassing = /address already in use/i.test(said) || program.passing?.test(said) === true;
      if (Date.now() > deadline || !isPassing) {
        throw new ConfigurationError(`${product} did not start. Its log, kept in ${log}, ends with:\n${tail(log)}`);
      }
      await sleep(100);
    }
  };

  await start();
  return {
    port,
    async stop() {
      await server?.end(`SIG${program.discardSignal ?? stopSignal}`);
      rmSync(folder, { recursive: true, force: true });
    },
    async kill() {
      await server?.end('SIGKILL');
    },
    async restart() {
      await server?.end(`SIG${stopSignal}`);
      await start();
    },
  };
}
