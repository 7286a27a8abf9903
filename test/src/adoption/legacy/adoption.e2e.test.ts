/**
 * A team's TypeORM project, adopted in small steps: its own migrations made the tables, its old tests stay green after
 * each step, and the entities that have been moved work through both APIs, on the same rows and in one transaction.
 */
import { type EntityClass, Storeweave } from '@storeweave/core';
import { sharedPostgres } from '@storeweave/testing/servers';
import { migrations, type TypeormStore, typeorm } from '@storeweave/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Coupon, Email, Order, Profile, Setting, User, Visit } from './entities.js';
import { newTests } from './new-tests.js';
import { oldTests, person } from './old-tests.js';
import { entities, openShop } from './shop.js';

const steps: { name: string; adopted: readonly EntityClass[] }[] = [
  { name: 'before the first step', adopted: [] },
  { name: 'with settings, visits and coupons', adopted: [Setting, Visit, Coupon] },
  { name: 'with orders, whose buyers and lines are not', adopted: [Setting, Visit, Coupon, Order] },
  { name: 'with users, too', adopted: [Setting, Visit, Coupon, Order, User, Profile] },
  { name: 'with all', adopted: entities },
];

describe.each(steps)('$name', ({ adopted }) => {
  let dataSource: DataSource;
  let weave: Storeweave;
  let relational: TypeormStore;

  beforeAll(async () => {
    const server = await sharedPostgres();
    dataSource = await openShop(await server.database('adoption'));
    // #region open
    relational = typeorm({ dataSource });
    weave = await Storeweave.open({
      entities: adopted,
      stores: { relational },
      schema: 'verify',
    });
    // #endregion open
  });
  afterAll(async () => {
    await weave?.close();
    expect(dataSource.isInitialized).toBe(true);
    await dataSource.destroy();
  });

  oldTests(() => dataSource);

  it('leaves the tables as the team’s migrations made them', async () => {
    expect((await weave.schema.plan()).changes).toStrictEqual([]);
    expect(await dataSource.showMigrations()).toBe(false);
  });

  it('hands out TypeORM’s own objects, and shares one transaction with them', async () => {
    expect(weave.native('relational')).toBe(dataSource);
    const email = new Email(`both${adopted.length}@example.org`);
    const failing = weave.transaction(async (uow) => {
      const manager = (await uow.native('relational')) as EntityManager;
      const user = await manager.save(manager.create(User, person({ email })));
      expect(await manager.countBy(User, { email })).toBe(1);
      expect(await dataSource.getRepository(User).countBy({ email })).toBe(0);
      if (adopted.includes(User)) {
        expect(await uow.repository(User).findById(user.id)).toMatchObject({ firstName: 'Ada', email });
      }
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await dataSource.getRepository(User).countBy({ email })).toBe(0);
  });

  if (adopted.includes(Setting))
    it('writes through both, with composite keys', async () => {
      await weave.transaction(async (uow) => {
        uow.create(Setting, { scope: 'app', key: 'theme', value: 'dark' });
        const manager = (await uow.native('relational')) as EntityManager;
        expect(await manager.findOneByOrFail(Setting, { scope: 'app' })).toMatchObject({ value: 'dark' });
        await manager.save(manager.create(Setting, { scope: 'app', key: 'size', value: null }));
        uow.create(Visit, { address: '::1', at: new Date(0) });
        uow.create(Visit, { address: '10.1.0.0/16' });
      });
      const settings = await weave.repository(Setting).find({ where: { scope: 'app' }, orderBy: { key: 'asc' } });
      expect(settings.map(({ key, value }) => [key, value])).toStrictEqual([
        ['size', null],
        ['theme', 'dark'],
      ]);
      const visits = await dataSource.getRepository(Visit).find({ order: { id: 'ASC' } });
      expect(visits.slice(-2).map(({ address }) => address)).toStrictEqual(['::1', '10.1.0.0/16']);
      expect(visits.at(-2)?.at).toStrictEqual(new Date(0));
      expect(visits.at(-1)?.at.getTime()).toBeCloseTo(Date.now(), -5);
      await weave.repository(Visit).insert([{ address: '10.0.0.7' }, { address: '10.0.0.8', at: new Date(5) }]);
      expect(await weave.repository(Visit).count({ address: { in: ['10.0.0.7', '10.0.0.8'] } })).toBe(2);
      await weave.repository(Coupon).insert({ code: 'HALF', discount: '0.5' });
      expect(await Coupon.findOneByOrFail({ code: 'HALF' })).toMatchObject({ discount: '0.50' });
    });

  if (adopted.includes(Order) && !adopted.includes(User))
    it('keeps the key of a user that only TypeORM knows', async () => {
      const buyer = await dataSource.manager.save(dataSource.manager.create(User, person()));
      const order = await weave.transaction((uow) => uow.create(Order, { buyer, priority: 2 }));
      expect(order.id).toMatch(/^[0-9a-f-]{36}$/);
      const found = await weave.repository(Order).findById(order.id);
      expect(found?.buyer).toBeInstanceOf(User);
      expect(found?.buyer).toStrictEqual(Object.assign(Object.create(User.prototype), { id: buyer.id }));
      expect(found?.lines).toBeUndefined();
      const theirs = await dataSource.manager.findOneOrFail(Order, {
        where: { id: order.id },
        relations: { buyer: true },
      });
      expect(theirs.buyer.firstName).toBe('Ada');
    });

  it('makes no migration of what is there already', async () => {
    expect(await migrations(relational).generate({ name: 'nothing', directory: 'nowhere' })).toStrictEqual([]);
  });

  if (adopted.length === entities.length) newTests(() => ({ weave, dataSource }));
});
