/** The code that docs/guarantees.md quotes. `guarantees.e2e.test.ts` runs all of it, over two databases. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  COMMIT_CHANNEL,
  Document,
  Id,
  Property,
  Relational,
  type StepEvent,
  type Store,
  Storeweave,
  Version,
} from '@storeweave/core';
import { embedded } from '@storeweave/embedded';

@Relational()
export class Account {
  @Id() id!: string;
  @Property('string') owner!: string;
  @Property('integer') cents!: number;
  @Version() version!: number;
}

@Document()
export class Statement {
  @Id() id!: string;
  @Property('uuid') account!: string;
  @Property('integer') cents!: number;
  @Version() version!: number;
}

export async function openOver(document: Store): Promise<Storeweave> {
  const { relational } = embedded();
  // #region open
  const weave = await Storeweave.open({
    entities: [Account, Statement],
    stores: { relational, document }, // two databases: relational decides, document is fenced
    commit: { relay: { intervalMs: 500 } }, // optional: see below
  });
  // #endregion open
  return weave;
}

export async function commit(weave: Storeweave) {
  // #region receipt
  const { receipt } = await weave.transaction({ await: 'decided' }, async (uow) => {
    const account = uow.create(Account, { owner: 'Ada', cents: 100 });
    uow.create(Statement, { account: account.id, cents: 100 });
    return uow;
  });
  // { id, status: 'pending', stores: { document: 'pending' }, … }: certain, and applied in a moment
  // #endregion receipt
  return receipt;
}

export async function guard(weave: Storeweave): Promise<number> {
  // #region guard
  await weave.transaction(async (uow) => {
    const account = await uow.repository(Account).findOneOrFail({ where: { owner: 'Ada' } });
    uow.guard(account); // not changed here, but what is written below depends on it
    uow.create(Statement, { account: account.id, cents: account.cents });
  });
  // #endregion guard
  return weave.repository(Statement).count();
}

export async function settled(weave: Storeweave): Promise<[number, number]> {
  // #region settled
  const accounts = await weave.repository(Account).find({ consistency: 'settled' });
  const [booked, stated] = await weave.settled(async (reader) => {
    const booked = await reader.repository(Account).find();
    const stated = await reader.repository(Statement).find();
    return [booked, stated]; // no unit of work is in one of them and not in the other
  });
  // #endregion settled
  return [accounts.length + booked.length, stated.length];
}

export async function measure(weave: Storeweave, work: () => Promise<unknown>): Promise<Map<string, number>> {
  // #region metrics
  const milliseconds = new Map<string, number>();
  const note = (message: unknown) => {
    const { step, moment, store, ms = 0 } = message as StepEvent;
    if (moment !== 'after') return;
    const key = `${step} ${store}`;
    milliseconds.set(key, (milliseconds.get(key) ?? 0) + ms);
  };
  subscribe(COMMIT_CHANNEL, note); // of every Storeweave in this process
  const { open, dead, oldestMs } = await weave.journal.stats();
  // #endregion metrics
  await work();
  unsubscribe(COMMIT_CHANNEL, note);
  return milliseconds
    .set('open', open)
    .set('dead', dead)
    .set('oldest', oldestMs ?? 0);
}
