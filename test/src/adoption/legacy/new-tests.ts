/** What the adopted entities can do now: the unit of work, relations as plain properties, and TypeORM beside it. */
import {
  CheckViolationError,
  OptimisticLockError,
  type Storeweave,
  UniqueViolationError,
  type UnitOfWork,
} from '@storeweave/core';
import type { DataSource, EntityManager } from 'typeorm';
import { expect, it } from 'vitest';
import {
  Badge,
  Category,
  Email,
  Order,
  OrderLine,
  Position,
  Product,
  Profile,
  Remark,
  Role,
  Team,
  User,
} from './entities.js';

let made = 0;
const mail = () => new Email(`new${made++}@example.org`);

interface Shop {
  readonly weave: Storeweave;
  readonly dataSource: DataSource;
}

export function newTests(shop: () => Shop): void {
  const inTransaction = <R>(work: (uow: UnitOfWork) => Promise<R> | R): Promise<R> => shop().weave.transaction(work);
  const user = (more: object = {}) => ({ firstName: ' Bob ', lastName: 'Builder', email: mail(), ...more }) as never;

  it('fills in what TypeORM would, and reads it back the same by both', async () => {
    const { weave, dataSource } = shop();
    const born = '1999-02-28';
    const at = new Date('2024-03-31T02:30:00.123Z');
    const bob = await inTransaction((uow) =>
      uow.create(
        User,
        user({
          nick: `nick${made}`,
          hobbies: ['a', 'b'],
          avatar: Buffer.from('hi'),
          seenAt: at,
          born,
          points: '12',
          home: { street: 'Main', zip: '10115', position: { latitude: 1.5 } },
        }),
      ),
    );
    expect(bob).toMatchObject({
      firstName: 'Bob',
      role: Role.user,
      labels: [],
      settings: {},
      revision: 1,
      points: '12',
    });
    const ours = await weave.repository(User).findById(bob.id);
    const theirs = await dataSource.getRepository(User).findOneByOrFail({ id: bob.id });
    expect(ours?.home.position).toBeInstanceOf(Position);
    expect({ ...ours, profile: undefined }).toEqual({ ...theirs, team: null });
    expect(theirs.seenAt).toStrictEqual(at);
    expect(await weave.repository(User).count({ home: { position: { latitude: { gt: 1 } } }, seenAt: at })).toBe(1);
    expect(await weave.repository(User).count({ email: bob.email, points: { gte: '11' } })).toBe(1);
  });

  it('keeps relations in plain properties, known by identity', async () => {
    const { weave, dataSource } = shop();
    const ids = await inTransaction((uow) => {
      const team = uow.create(Team, { name: 'builders' });
      const ann = uow.create(User, user({ team }));
      const bob = uow.create(User, user());
      expect(ann.team).toBe(team);
      expect(team.members).toStrictEqual([]);
      team.members.push(bob);
      uow.create(Profile, { bio: 'about Ann', user: ann });
      const badge = uow.create(Badge, { title: `t${made++}` });
      ann.badges = [badge];
      return { team, ann: ann.id, bob: bob.id, badge };
    });
    await inTransaction(async (uow) => {
      const [ann] = await uow.repository(User).find({
        where: { id: ids.ann },
        populate: ['team.members', 'profile.user', 'badges'],
      });
      expect(ann?.team).toBeInstanceOf(Team);
      expect(ann?.team?.members.map(({ id }) => id).sort()).toStrictEqual([ids.ann, ids.bob].sort());
      expect(ann?.team?.members).toContain(ann);
      expect(ann?.profile?.user).toBe(ann);
      expect(ann?.badges).toStrictEqual([expect.objectContaining({ id: ids.badge.id })]);
      expect(ann?.orders).toBeUndefined();
    });
    const plain = await weave.repository(Badge).findById(ids.badge.id);
    expect(JSON.parse(JSON.stringify(plain))).toStrictEqual({ id: ids.badge.id, title: ids.badge.title });
    expect(structuredClone({ ...plain })).toEqual({ id: ids.badge.id, title: ids.badge.title });
    const theirs = await dataSource.getRepository(User).findOneOrFail({
      where: { id: ids.bob },
      relations: { team: true, badges: true },
    });
    expect(theirs.team?.name).toBe('builders');
    expect(await weave.repository(User).count({ team: { name: 'builders' } })).toBeGreaterThanOrEqual(2);
    expect(await weave.repository(User).count({ badges: { title: ids.badge.title } })).toBe(1);
  });

  it('finds what was assigned, pushed, taken out and replaced', async () => {
    const { dataSource } = shop();
    const titles = [1, 2, 3].map((n) => `x${made}${n}`);
    made++;
    const id = await inTransaction((uow) => {
      const badges = titles.map((title) => uow.create(Badge, { title }));
      return uow.create(User, user({ badges: badges.slice(0, 2), team: uow.create(Team, { name: 'old' }) })).id;
    });
    const now = async () => {
      const found = await dataSource
        .getRepository(User)
        .findOneOrFail({ where: { id }, relations: { badges: true, team: true }, order: { badges: { title: 'ASC' } } });
      return { badges: found.badges.map(({ title }) => title), team: found.team?.name ?? null };
    };
    expect(await now()).toStrictEqual({ badges: titles.slice(0, 2), team: 'old' });
    await inTransaction(async (uow) => {
      const [bob] = await uow.repository(User).find({ where: { id }, populate: ['badges', 'team'] });
      const third = await uow.repository(Badge).findOneOrFail({ where: { title: titles[2] } });
      bob?.badges.shift();
      bob?.badges.push(third);
      if (bob !== undefined) bob.team = null;
    });
    expect(await now()).toStrictEqual({ badges: titles.slice(1), team: null });
    await inTransaction(async (uow) => {
      const bob = await uow.repository(User).findOneOrFail({ where: { id } });
      expect(bob.badges).toBeUndefined();
      bob.badges = await uow.repository(Badge).find({ where: { title: titles[0] } });
      bob.team = { id: (await uow.repository(Team).findOneOrFail({ where: { name: 'old' } })).id } as Team;
    });
    expect(await now()).toStrictEqual({ badges: titles.slice(0, 1), team: 'old' });
    await inTransaction(async (uow) => {
      const [bob] = await uow.repository(User).find({ where: { id }, populate: ['badges'] });
      bob?.badges.splice(0);
    }).then(async () => expect(await now()).toStrictEqual({ badges: [], team: 'old' }));
    await expect(
      inTransaction(async (uow) => {
        const bob = await uow.repository(User).findOneOrFail({ where: { id } });
        bob.team = null;
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await now()).toStrictEqual({ badges: [], team: 'old' });
  });

  it('knows composite keys, keys that are properties, and orphans', async () => {
    const { dataSource, weave } = shop();
    const ids = await inTransaction((uow) => {
      const category = uow.create(Category, { slug: `s${made++}`, name: 'Tools' });
      const product = (name: string) =>
        uow.create(Product, { name, maker: 'A', model: `n${made++}`, price: '3.10', category });
      const [saw, axe] = [product('saw'), product('axe')];
      saw.goesWith = [axe];
      uow.add([saw, axe, category]);
      const order = uow.create(Order, { buyer: uow.create(User, user()), deliverAt: '08:00:00' });
      return { saw, axe, order: order.id, slug: category.slug };
    });
    expect(ids.saw).toMatchObject({ facts: { new: true } });
    await inTransaction(async (uow) => {
      const [order] = await uow.repository(Order).find({ where: { id: ids.order }, populate: ['lines', 'buyer'] });
      if (order === undefined) throw new Error('no order');
      const saw = await uow.repository(Product).findOneOrFail({ where: { id: ids.saw.id } });
      const line = uow.create(OrderLine, {
        orderId: order.id,
        productId: saw.id,
        count: 2,
        order,
        product: saw,
      });
      const other = uow.create(OrderLine, { orderId: order.id, productId: ids.axe.id, count: 1, order });
      const badge = uow.create(Badge, { title: `r${made++}` });
      uow.create(Remark, { text: 'sharp', line, badge });
      expect([line.orderId, other.productId]).toStrictEqual([ids.order, ids.axe.id]);
    });
    const [remark] = await dataSource.getRepository(Remark).find({
      where: { line: { orderId: ids.order } },
      relations: { line: { product: true }, badge: true },
    });
    expect(remark).toMatchObject({
      text: 'sharp',
      line: { count: 2, product: { name: 'saw' } },
      badge: { id: expect.any(Number) },
    });
    const [ours] = await weave
      .repository(Remark)
      .find({ where: { id: remark?.id }, populate: ['line.product', 'badge'] });
    expect(ours).toMatchObject({ line: { product: { name: 'saw' } }, badge: { title: remark?.badge?.title } });
    const [axe] = await weave
      .repository(Product)
      .find({ where: { id: ids.axe.id }, populate: ['suits', 'category.products'] });
    expect(axe?.suits.map(({ id }) => id)).toStrictEqual([ids.saw.id]);
    expect(axe?.category.products).toHaveLength(2);

    await inTransaction(async (uow) => {
      const [order] = await uow.repository(Order).find({ where: { id: ids.order }, populate: ['lines'] });
      order?.lines.splice(
        order.lines.findIndex(({ productId }) => productId === ids.axe.id),
        1,
      );
    });
    expect(await dataSource.getRepository(OrderLine).countBy({ orderId: ids.order })).toBe(1);
    const line = await weave.repository(OrderLine).findById({ orderId: ids.order, productId: ids.saw.id });
    expect(line?.count).toBe(2);
    await inTransaction(async (uow) =>
      uow.remove(await uow.repository(Order).findOneOrFail({ where: { id: ids.order } })),
    );
    expect(await dataSource.getRepository(OrderLine).countBy({ orderId: ids.order })).toBe(0);
  });

  it('is as the readme says', async () => {
    const { weave } = shop();
    const userId = (await inTransaction((uow) => uow.create(User, user()))).id;
    const products = [
      await inTransaction((uow) => {
        const category = uow.create(Category, { slug: `s${made++}`, name: 'Tools' });
        const product = uow.create(Product, { name: 'x', maker: 'y', model: `z${made++}`, price: '1', category });
        uow.add(category);
        return product;
      }),
    ];
    // #region both
    await weave.transaction(async (uow) => {
      const buyer = await uow.repository(User).findOneOrFail({ where: { id: userId } });
      const order = uow.create(Order, { buyer });
      order.lines.push(...products.map((product) => uow.create(OrderLine, { order, product, count: 1 })));

      const manager = (await uow.native('relational')) as EntityManager; // in the same transaction
      await manager.increment(User, { id: userId }, 'age', 1);
    });

    const [last] = await weave.repository(Order).find({
      where: { buyer: { lastName: 'Builder' } },
      orderBy: { createdAt: 'desc' },
      limit: 1,
      populate: ['buyer', 'lines.product'],
    });
    last?.lines.map((line) => line.product.name); // plain properties, as TypeORM fills them
    // #endregion both
    await inTransaction(async (uow) => {
      const [mine] = await uow.repository(Order).find({ where: { id: last?.id }, populate: ['buyer', 'lines'] });
      if (mine === undefined) throw new Error('no order');
      mine.priority = 9;
      mine.buyer.role = Role.admin;
      const manager = (await uow.native('relational')) as EntityManager;
      // TypeORM saves instances of ours: it reads their relations as its own.
      await manager.save(mine);
      expect(await manager.findOneByOrFail(Order, { id: mine.id })).toMatchObject({ priority: 9 });
      expect(await manager.countBy(OrderLine, { orderId: mine.id })).toBe(1);
    });
    expect(await weave.repository(User).count({ id: userId, role: Role.admin })).toBe(1);
    expect(last?.lines.map(({ product }) => product.name)).toStrictEqual(['x']);
    expect(last?.buyer.id).toBe(userId);
  });

  it('counts versions with TypeORM, deletes softly as it does, and names what the database refuses', async () => {
    const { dataSource, weave } = shop();
    const bob = await inTransaction((uow) => uow.create(User, user({ age: 5 })));
    const theirs = await dataSource.getRepository(User).findOneByOrFail({ id: bob.id });
    theirs.age = 6;
    await dataSource.getRepository(User).save(theirs);
    await expect(
      inTransaction((uow) => {
        uow.add(bob);
        bob.age = 7;
      }),
    ).rejects.toThrow(OptimisticLockError);
    await inTransaction(async (uow) => {
      const found = await uow.repository(User).findOneOrFail({ where: { id: bob.id } });
      expect(found).toMatchObject({ age: 6, revision: 2 });
      found.age = 8;
      await uow.flush();
      const manager = (await uow.native('relational')) as EntityManager;
      expect(await manager.findOneByOrFail(User, { id: bob.id })).toMatchObject({ age: 8, revision: 3 });
      uow.remove(found);
    });
    expect(await dataSource.getRepository(User).countBy({ id: bob.id })).toBe(0);
    expect(await dataSource.getRepository(User).count({ where: { id: bob.id }, withDeleted: true })).toBe(1);
    expect(await weave.repository(User).findById(bob.id)).toBeNull();

    const tooOld = inTransaction((uow) => uow.create(User, user({ age: 500 })));
    await expect(tooOld).rejects.toThrow(CheckViolationError);
    await expect(tooOld).rejects.toMatchObject({ entity: 'User', property: 'age', constraint: 'age_is_sane' });
    const taken = inTransaction((uow) => uow.create(User, user({ email: bob.email })));
    await expect(taken).rejects.toThrow(UniqueViolationError);
    await expect(taken).rejects.toMatchObject({ entity: 'User', property: 'email' });
  });
}
