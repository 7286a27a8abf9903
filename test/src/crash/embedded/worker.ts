/**
 * The process that is killed: does transfers one after the other and says on standard output, a line each, which unit
 * of work it begins, which was acknowledged and which it refused on purpose after its writes were sent.
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Storeweave } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { seeded } from '../random.js';
import { ACCOUNTS, Account, entities, Movement, OPENING_BALANCE, Payment, Receipt } from './model.js';

class Refused extends Error {}

const [folder = '', seed = '0'] = process.argv.slice(2);
const random = seeded(Number(seed));
const say = (word: string, id: string): void => {
  writeSync(1, `${word} ${id}\n`);
};

const weave = await Storeweave.open({ entities, stores: embedded({ path: folder }) });

await weave.transaction(async (uow) => {
  if ((await uow.repository(Account).count()) > 0) return;
  for (let id = 0; id < ACCOUNTS; id++) uow.create(Account, { id, balance: OPENING_BALANCE });
});

for (;;) {
  const id = randomUUID();
  const from = random(ACCOUNTS);
  const to = (from + 1 + random(ACCOUNTS - 1)) % ACCOUNTS;
  const amount = 1 + random(50);
  const refuse = random(5) === 0;
  say('begin', id);
  try {
    await weave.transaction(async (uow) => {
      const [payer, payee] = await uow.repository(Account).findByIds([from, to]);
      if (payer === undefined || payee === undefined) throw new Error(`accounts ${from} and ${to} are not both there`);
      payer.balance -= amount;
      payee.balance += amount;
      uow.create(Receipt, { id, from, to, amount });
      uow.create(Payment, { id, from: payer, to: payee, amount });
      const at = new Date();
      uow.create(Movement, { at, transfer: id, account: from, amount: -amount });
      uow.create(Movement, { at, transfer: id, account: to, amount });
      if (!refuse) return;
      await uow.flush();
      throw new Refused();
    });
    say('acknowledged', id);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say('refused', id);
  }
}
