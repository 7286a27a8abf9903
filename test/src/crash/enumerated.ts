/** The rounds that come to every failpoint with every fault, once each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from './commands.js';
import type { Worker } from './crew.js';
import { type Failpoint, type Fault, nameOf, type Strike } from './failpoints.js';
import { type Ground, untilOver } from './round.js';

/** How long a step hangs before its process is killed; others wait for it meanwhile. */
const HANG_MS = 800;

/** Strikes a failpoint once. A place that is never come to is a violation: it would prove nothing. */
export async function strikeAt(ground: Ground, failpoint: Failpoint, fault: Fault): Promise<void> {
  const name = `${fault} ${nameOf(failpoint)}`;
  await ground.run(name, async (round) => {
    const worker = await ground.worker();
    const { scene } = failpoint;
    const isDecided = scene.endsWith(' decided');
    const meets = scene.startsWith('met');
    const isLeftBehind = meets || scene.startsWith('relay') || scene.startsWith('read');
    if (isLeftBehind) {
      await required(worker, { do: 'abandon', round, seed: round, isDecided });
    }
    await required(worker, { do: 'arm', strikes: strikesOf(failpoint, fault) });
    const units = { units: meets ? 1 : 3, streams: 2, full: 1, isFirstAlone: true, meets, reads: false };
    const command: Command = scene.startsWith('relay')
      ? { do: 'drain' }
      : scene.startsWith('read')
        ? { do: 'read', round }
        : { do: 'work', round, worker: 'a', seed: round, ...units };
    const struck = worker.strike();
    // What the strike makes of the command is not at issue; what is left in the stores is.
    const work = worker.ask(command).catch((error: unknown) => {
      if (worker.reached.length === 0) throw error;
    });
    work.catch(() => {});
    const over =
      fault === 'hang'
        ? await Promise.race([struck.then(() => 'struck' as const), untilOver(work, worker)])
        : await untilOver(work, worker);
    if (over === 'struck') await sleep(HANG_MS);
    if (over === 'gone') ground.counts.kills++;
    // The mark in the journal is made a moment later than the answer.
    if (over === 'done' && failpoint.step === 'done') await Promise.race([sleep(300), worker.gone]);
    const end = over === 'gone' ? await worker.gone : 'alive';
    const isReached =
      fault === 'kill' ? await died(worker, end) : worker.reached.some(({ fault: one }) => one === fault);
    if (!isReached) throw new Error(`the failpoint was not come to: the worker was ${over} (${end})`);
    return over === 'gone' || (await isGone(worker)) ? [] : [worker];
  });
}

function strikesOf({ scene, step, moment, store }: Failpoint, fault: Fault): Strike[] {
  const by = scene.startsWith('relay') || scene.startsWith('read') ? ('relay' as const) : ('worker' as const);
  const strike: Strike = {
    at: { step, moment, store, by },
    fault,
    met: scene !== 'commit' && scene !== 'refusal',
  };
  if (scene !== 'refusal') return [strike];
  return [{ at: { step: 'decide', moment: 'before', by }, fault: 'fail', met: false }, strike];
}

async function required(worker: Worker, command: Command): Promise<void> {
  if ((await worker.ask(command)) === undefined) throw new Error(`the worker died of ${command.do}`);
}

async function died(worker: Worker, end: string): Promise<boolean> {
  return end === 'SIGKILL' || ((await isGone(worker)) && (await worker.gone) === 'SIGKILL');
}

function isGone(worker: Worker): Promise<boolean> {
  return Promise.race([worker.gone.then(() => true), sleep(20).then(() => false)]);
}
