/** The code that docs/guarantees.md quotes. `guarantees.e2e.test.ts` runs all of it, over two databases. */
import {
  Document,
  Id,
  Property,
  Relational,
  StepMetrics,
  type StepSummary,
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

export async function measure(weave: Storeweave, work: () => Promise<unknown>): Promise<StepSummary[]> {
  // #region metrics
  using metrics = new StepMetrics(); // from here on, of every Storeweave in this process
  await work();
  for (const { step, store, by, count, failures, sumMs, maxMs } of metrics.summaries()) {
    report(`${step} ${store} ${by}`, { count, failures, meanMs: sumMs / count, maxMs });
  }
  const { open, dead, oldestMs = 0, retried, attempts } = await weave.journal.stats();
  report('journal', { open, dead, oldestMs, retried, attempts });
  // #endregion metrics
  return metrics.summaries();
}

/** Hands numbers to whatever draws them. */
export const reported = new Map<string, Readonly<Record<string, number>>>();
function report(name: string, numbers: Readonly<Record<string, number>>): void {
  reported.set(name, numbers);
}
