import { type Session, Storeweave } from '@storeweave/core';
import { typeorm } from '@storeweave/typeorm';
import { Employee } from '../employee.js';
import type { RelationalContender } from './contender.js';

export function storeweave(): RelationalContender {
  let weave: Storeweave | undefined;
  let session: Session | undefined;
  const opened = (): Storeweave => {
    if (weave === undefined) throw new Error('not open');
    return weave;
  };
  return {
    name: 'storeweave',
    async open(url) {
      weave = await Storeweave.open({ entities: [Employee], stores: { relational: typeorm({ url }) } });
    },
    close: () => opened().close(),
    insert: (rows) =>
      opened().transaction(async (uow) => {
        for (const row of rows) uow.create(Employee, row);
        return rows.length;
      }),
    load: () => opened().repository(Employee).find(),
    async loadTracked() {
      session = opened().session();
      return session.repository(Employee).find();
    },
    async commitChanges() {
      await session?.commit();
    },
    byId: (id) => opened().repository(Employee).findById(id),
  };
}
