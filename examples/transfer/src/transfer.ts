/** What an application writes: one unit of work, four databases, and nothing about how it is committed. */
import type { Receipt, Storeweave } from '@storeweave/core';
import { Account, Ledger, Payment, PaymentPoint } from './model.js';

/** Who takes part, by ids. */
export interface Parties {
  readonly payer: string;
  readonly payee: string;
  readonly ledger: string;
}

export async function openAccounts(weave: Storeweave): Promise<Parties> {
  return weave.transaction({ actor: 'the bank' }, async (uow) => {
    const ada = uow.create(Account, { owner: 'Ada', cents: 10_000 });
    const bob = uow.create(Account, { owner: 'Bob', cents: 0 });
    const balances = [ada, bob].map(({ owner, cents }) => ({ owner, cents }));
    const ledger = uow.create(Ledger, { balances });
    return { payer: ada.id, payee: bob.id, ledger: ledger.id };
  });
}

/** Resolves when the payment is in all four databases, or certain to come to be there: the receipt says which. */
export async function transfer(weave: Storeweave, parties: Parties, cents: number): Promise<Receipt | undefined> {
  // #region transfer
  const done = await weave.transaction({ actor: 'Ada' }, async (uow) => {
    const payer = await uow.repository(Account).findOneOrFail({ where: { id: parties.payer } });
    const payee = await uow.repository(Account).findOneOrFail({ where: { id: parties.payee } });
    const ledger = await uow.repository(Ledger).findOneOrFail({ where: { id: parties.ledger } });
    payer.cents -= cents;
    payee.cents += cents;
    ledger.balances = [payer, payee].map((account) => ({ owner: account.owner, cents: account.cents }));
    const payment = uow.create(Payment, { from: payer, to: payee, cents });
    uow.create(PaymentPoint, { at: new Date(), payment: payment.id, cents });
    return uow;
  });
  // done.receipt.stores: { document: 'applied', graph: 'applied', timeseries: 'applied' }
  // #endregion transfer
  return done.receipt;
}
