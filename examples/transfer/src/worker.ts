/** A process of the application. Does what its parent tells it, and dies in the middle of it where it is told to. */
import { Storeweave } from '@storeweave/core';
import { ENTITIES } from './model.js';
import { dieAt, type Moment } from './moments.js';
import { type Places, storesOf } from './places.js';
import { openAccounts, type Parties, transfer } from './transfer.js';

/** `finish` is what a restart amounts to: the relay, which otherwise works in the background, run to its end. */
export type Task =
  | { readonly do: 'open accounts' }
  | { readonly do: 'transfer'; readonly parties: Parties; readonly cents: number; readonly dieAt?: Moment }
  | { readonly do: 'finish' };

export interface Order {
  readonly places: Places;
  readonly task: Task;
}

export type Answer = { readonly result: unknown } | { readonly error: string };

async function work({ places, task }: Order): Promise<unknown> {
  const moment = task.do === 'transfer' ? task.dieAt : undefined;
  const onStep = moment === undefined ? undefined : dieAt(moment, () => process.kill(process.pid, 'SIGKILL'));
  await using weave = await Storeweave.open({
    entities: ENTITIES,
    stores: storesOf(places),
    commit: { relay: false, ...(onStep && { onStep }) },
  });
  if (task.do === 'open accounts') return await openAccounts(weave);
  if (task.do === 'transfer') return await transfer(weave, task.parties, task.cents);
  return await weave.journal.drain();
}

process.once('message', (order: Order) => {
  work(order)
    .then(
      (result): Answer => ({ result }),
      (error: unknown): Answer => ({ error: String(error) }),
    )
    .then((answer) => process.send?.(answer, () => process.disconnect()));
});
