/** Changes and reads on record: one to one with what happened, at a price that does not grow with the rows. */
import assert from 'node:assert/strict';
import { AuditLog, DataAccessLog, type Storeweave } from '@storeweave/core';
import { type ContractCase, can, savepoints, test, transactions } from '../case.js';
import { accounts, slips } from '../domain/audited.js';
import { type RecordedModel, recorded, recordedModels } from '../domain/groups.js';
import { dataCalls } from '../recorder.js';
import { range } from './assertions.js';

/** Name of the operation, and the amounts or texts before and after, oldest first. */
async function history(weave: Storeweave): Promise<unknown[][]> {
  const records = await weave.repository(AuditLog).find({ orderBy: { id: 'asc' } });
  const shown = (values: Readonly<Record<string, unknown>> | null) => values?.amount ?? values?.text ?? null;
  return records.map(({ operation, before, after }) => [operation, shown(before), shown(after)]);
}

function auditOf(on: RecordedModel): ContractCase[] {
  const Account = accounts[on];
  const Slip = slips[on];
  const needs = [...recorded(on), transactions(on)];
  const fail = new Error('the application gave up');
  return [
    test(`audit/${on}: each change has its record, and who made it`, needs, async ({ weave }) => {
      const account = await weave.transaction({ actor: 'ada', reason: 'opening' }, (uow) =>
        uow.create(Account, { name: 'a', amount: 1, secret: 'hidden' }),
      );
      await weave.transaction(async (uow) => {
        (await uow.repository(Account).findOneOrFail()).amount = 2;
      });
      await weave.transaction(async (uow) => uow.remove(await uow.repository(Account).find()));
      const [first, ...rest] = await weave.repository(AuditLog).find({ orderBy: { id: 'asc' } });
      assert.deepEqual(
        [first?.actor, first?.reason, first?.key, first?.operation, first?.before],
        ['ada', 'opening', account.id, 'insert', null],
      );
      assert.deepEqual(first?.after, { id: account.id, name: 'a', amount: 1, secret: '[redacted]', version: 1 });
      assert.deepEqual(
        rest.map(({ operation, before, after, actor }) => [operation, before, after, actor]),
        [
          ['update', { amount: 1, version: 1 }, { amount: 2, version: 2 }, null],
          ['delete', { ...first?.after, amount: 2, version: 2 }, null, null],
        ],
      );
    }),

    test(`audit/${on}: what is rolled back has no record`, needs, async ({ weave, chaos }) => {
      await weave.repository(Account).insert({ name: 'a', amount: 1 });
      const work = weave.transaction(async (uow) => {
        uow.create(Account, { name: 'b', amount: 2 });
        await uow.flush();
        await uow.repository(Account).insert({ name: 'c', amount: 3 });
        await uow.repository(Account).increment({}, { amount: 5 });
        throw fail;
      });
      await assert.rejects(work, (error: unknown) => error === fail);
      chaos.add({ call: 'insert', entity: 'AuditLog', fail });
      await assert.rejects(weave.transaction((uow) => void uow.create(Account, { name: 'd' })));
      chaos.add({ call: 'insert', entity: 'AuditLog', fail });
      await assert.rejects(weave.repository(Account).increment({}, { amount: 5 }));
      assert.deepEqual(await history(weave), [['insert', null, 1]]);
      const left = await weave.repository(Account).find();
      assert.deepEqual(
        left.map(({ name, amount }) => [name, amount]),
        [['a', 1]],
      );
    }),

    test(`audit/${on}: a savepoint takes its records back`, [...needs, savepoints(on)], async ({ weave }) => {
      await weave.transaction(async (uow) => {
        uow.create(Account, { name: 'a', amount: 1 });
        const inner = uow.transaction(async () => {
          uow.create(Account, { name: 'b', amount: 2 });
          await uow.flush();
          await uow.repository(Account).increment({}, { amount: 5 });
          throw fail;
        });
        await assert.rejects(inner, (error: unknown) => error === fail);
        await uow.transaction(() => void uow.create(Account, { name: 'c', amount: 3 }));
      });
      assert.deepEqual(await history(weave), [
        ['insert', null, 1],
        ['insert', null, 3],
      ]);
    }),

    test(`audit/${on}: changes by filter are recorded row by row`, needs, async ({ weave }) => {
      const repository = weave.repository(Account);
      await repository.insert(range(3).map((at) => ({ name: `${at}`, amount: at })));
      assert.equal(await repository.update({ amount: { gte: 1 } }, { amount: 9 }), 2);
      assert.equal(await repository.increment({ amount: 9 }, { amount: 1 }), 2);
      assert.equal(await repository.delete({ amount: 0 }), 1);
      assert.equal(await repository.delete({ amount: 77 }), 0);
      assert.deepEqual(
        (await history(weave)).map((each) => each.join(' ')).sort(),
        [
          'delete 0 ',
          'insert  0',
          'insert  1',
          'insert  2',
          'update 1 9',
          'update 2 9',
          'update 9 10',
          'update 9 10',
        ].sort(),
      );
    }),

    test(`audit/${on}: a row without a version is recorded as it was stored`, needs, async ({ weave }) => {
      const slip = await weave.transaction((uow) => uow.create(Slip, { text: 'a' }));
      await weave.repository(Slip).update({}, { text: 'b' });
      await weave.transaction((uow) => {
        uow.add(slip);
        slip.text = 'c';
      });
      await weave.repository(Slip).delete({});
      await weave.transaction((uow) => {
        uow.add(slip);
        uow.remove(slip);
      });
      assert.deepEqual(await history(weave), [
        ['insert', null, 'a'],
        ['update', 'a', 'b'],
        ['update', 'b', 'c'],
        ['delete', 'c', null],
      ]);
    }),

    test(
      `audit/${on}: an upsert tells what is new from what was there`,
      [...needs, can(on, 'upsert', (c) => c.upsert)],
      async ({ weave }) => {
        const repository = weave.repository(Account);
        await repository.insert([
          { name: 'a', amount: 1 },
          { name: 'b', amount: 2 },
        ]);
        const again = [
          { name: 'a', amount: 5 },
          { name: 'b', amount: 2 },
          { name: 'c', amount: 3 },
        ];
        await repository.upsert(again, { on: ['name'], update: ['amount'] });
        await repository.upsert(
          [
            { name: 'c', amount: 8 },
            { name: 'd', amount: 4 },
          ],
          { on: ['name'], update: [] },
        );
        const stored = await repository.find({ orderBy: { name: 'asc' } });
        assert.deepEqual(
          stored.map(({ amount, version }) => [amount, version]),
          [
            [5, 2],
            [2, 2],
            [3, 1],
            [4, 1],
          ],
        );
        const records = await weave.repository(AuditLog).find({ orderBy: { id: 'asc' } });
        const later = records.slice(2).map(({ operation, before, after }) => {
          return `${operation} ${before?.amount ?? '-'} ${after?.amount ?? '-'} ${after?.version}`;
        });
        assert.deepEqual(later.sort(), ['insert - 3 1', 'insert - 4 1', 'update - - 2', 'update 1 5 2']);
      },
    ),

    test(`audit/${on}: records cost calls that do not grow with the rows`, needs, async ({ weave, calls }) => {
      const repository = weave.repository(Account);
      const cost = async (rows: number) => {
        const made = await calls(async () => {
          await weave.transaction((uow) => {
            for (const at of range(rows)) uow.create(Account, { name: `f${at}` });
          });
          await repository.insert(range(rows).map((at) => ({ name: `i${at}` })));
          await repository.update({}, { amount: 5 });
          await weave.transaction(async (uow) => {
            for (const each of await uow.repository(Account).find({ where: { name: { like: 'f%' } } })) each.amount = 7;
          });
          await repository.delete({});
        });
        await weave.accessLog?.flush();
        return dataCalls(made).filter(({ entity }) => entity !== 'DataAccessLog').length;
      };
      assert.equal(await cost(3), await cost(300));
      assert.equal(await weave.repository(AuditLog).count(), 7 * 303);
    }),

    test(`audit/${on}: reads are noted, and never fail with their record`, needs, async ({ weave, chaos }) => {
      const account = await weave.repository(Account).insert({ name: 'a', amount: 1, secret: 'hidden' });
      await weave.transaction({ actor: 'ada' }, (uow) =>
        uow.repository(Account).find({ where: { amount: { gte: 1 } } }),
      );
      assert.equal(await weave.repository(Account).count({ secret: 'hidden' }), 1);
      await weave.accessLog?.flush();
      const noted = await weave.repository(DataAccessLog).find({ orderBy: { id: 'asc' } });
      const [read, counted, ...rest] = noted;
      assert.deepEqual(
        [read?.entity, read?.operation, read?.keys, read?.count, read?.actor],
        [Account.name, 'read', [account.id], 1, 'ada'],
      );
      assert.deepEqual([counted?.entity, counted?.count, counted?.actor, rest.length], [Account.name, 1, null, 0]);
      assert.match(noted[0]?.filter ?? '', /amount >= 1/);
      assert.doesNotMatch(JSON.stringify(noted), /hidden/);
      const before = weave.accessLog?.stats.lost ?? 0;
      chaos.add({ call: 'insert', entity: 'DataAccessLog', fail, times: Number.POSITIVE_INFINITY });
      assert.equal((await weave.repository(Account).find()).length, 1);
      await weave.accessLog?.flush();
      assert.equal(weave.accessLog?.stats.lost, before + 1);
    }),
  ];
}

export const auditCases: readonly ContractCase[] = recordedModels.flatMap(auditOf);
