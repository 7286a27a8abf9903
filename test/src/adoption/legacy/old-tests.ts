/** The team's tests from before Storeweave: TypeORM and nothing else. They must hold after every step of the adoption. */
import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import {
  Badge,
  Category,
  Coupon,
  Email,
  Order,
  OrderLine,
  Product,
  Profile,
  Remark,
  Role,
  Setting,
  Team,
  User,
  Visit,
} from './entities.js';

let made = 0;

export function person(more: Partial<User> = {}): Partial<User> {
  made += 1;
  return { firstName: ' Ada ', lastName: 'Lovelace', email: new Email(`ada${made}@example.org`), ...more };
}

export function oldTests(shop: () => DataSource): void {
  it('saves a user and finds it as it was', async () => {
    const users = shop().getRepository(User);
    const born = '1815-12-10';
    const saved = await users.save(
      users.create(
        person({
          age: 36,
          nick: `countess${made}`,
          labels: ['a "b"', 'c'],
          hobbies: ['maths', 'flying'],
          settings: { dark: true },
          avatar: Buffer.from([1, 2, 255]),
          born,
          home: { street: 'St. James', zip: '10115', position: { latitude: 51.5, longitude: -0.1 } },
        }),
      ),
    );
    const found = await users.findOneByOrFail({ id: saved.id });
    expect(found).toBeInstanceOf(User);
    expect(found).toMatchObject({
      firstName: 'Ada',
      email: saved.email,
      role: Role.user,
      points: '0',
      labels: ['a "b"', 'c'],
      hobbies: ['maths', 'flying'],
      settings: { dark: true },
      born,
      home: { street: 'St. James', zip: '10115', position: { latitude: 51.5, longitude: -0.1 } },
      work: { street: null, zip: '00000' },
      revision: 1,
      loaded: true,
    });
    expect(found.avatar?.equals(Buffer.from([1, 2, 255]))).toBe(true);
    expect(found.seenAt.getTime()).toBeCloseTo(Date.now(), -5);
    expect(found.createdAt.getTime()).toBeCloseTo(Date.now(), -5);
    found.points = '9007199254740993';
    await users.save(found);
    expect(await users.findOneByOrFail({ id: saved.id })).toMatchObject({ revision: 2, points: '9007199254740993' });
    await users.softRemove(found);
    expect(await users.countBy({ id: saved.id })).toBe(0);
    expect(await users.count({ where: { id: saved.id }, withDeleted: true })).toBe(1);
  });

  it('saves a team with its members, its profile and its badges', async () => {
    const { manager } = shop();
    const badge = await manager.save(manager.create(Badge, { title: `b${Date.now()}${made++}`.slice(0, 20) }));
    const parent = await manager.save(manager.create(Team, { name: 'all' }));
    const team = await manager.save(
      manager.create(Team, { name: 'engine', members: [manager.create(User, person({ badges: [badge] }))], parent }),
    );
    const ada = team.members[0] as User;
    await manager.save(manager.create(Profile, { bio: 'first', user: ada }));
    const found = await manager.findOneOrFail(User, {
      where: { id: ada.id },
      relations: { team: { parent: true }, profile: true, badges: true, orders: true },
    });
    expect(found).toMatchObject({
      team: { id: team.id, parent: { name: 'all' } },
      profile: { bio: 'first' },
      orders: [],
    });
    expect(found.badges).toStrictEqual([expect.objectContaining({ title: badge.title })]);
    await manager.delete(Team, team.id);
    expect(await manager.findOneOrFail(User, { where: { id: ada.id }, relations: { team: true } })).toMatchObject({
      team: null,
    });
  });

  it('saves an order with lines and remarks', async () => {
    const { manager } = shop();
    const category = await manager.save(manager.create(Category, { slug: `c${made++}`, name: 'Looms' }));
    const product = await manager.save(
      manager.create(Product, {
        name: 'Loom',
        maker: 'J',
        model: `m${made++}`,
        price: '12.50',
        sizes: [1, 2],
        category,
      }),
    );
    const other = await manager.save(
      manager.create(Product, {
        name: 'Card',
        maker: 'J',
        model: `m${made++}`,
        price: '0.10',
        category,
        goesWith: [product],
      }),
    );
    expect(await manager.findOneByOrFail(Product, { id: product.id })).toMatchObject({
      price: '12.50',
      sizes: [1, 2],
      facts: { new: true },
    });
    const buyer = await manager.save(manager.create(User, person()));
    const order = await manager.save(
      manager.create(Order, {
        buyer,
        deliverAt: '10:30:00',
        lines: [manager.create(OrderLine, { product, count: 3 })],
      }),
    );
    const line = await manager.findOneByOrFail(OrderLine, { orderId: order.id, productId: product.id });
    await manager.save(manager.create(Remark, { text: 'soon', line }));
    const [remark] = await manager
      .createQueryBuilder(Remark, 'remark')
      .innerJoinAndSelect('remark.line', 'line')
      .innerJoinAndSelect('line.product', 'product')
      .where('line.orderId = :id', { id: order.id })
      .getMany();
    expect(remark).toMatchObject({ text: 'soon', badge: undefined, line: { count: 3, product: { id: product.id } } });
    const pair = await manager.findOneOrFail(Product, { where: { id: product.id }, relations: { suits: true } });
    expect(pair.suits).toStrictEqual([expect.objectContaining({ id: other.id })]);
    await manager.delete(User, buyer.id);
    expect(await manager.countBy(Order, { id: order.id })).toBe(0);
  });

  it('rolls back, refuses what the database refuses, and saves by itself', async () => {
    const { manager } = shop();
    const scope = `s${made++}`;
    await expect(
      manager.transaction(async (inner) => {
        await inner.save(inner.create(Setting, { scope, key: 'a', value: null }));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await manager.countBy(Setting, { scope })).toBe(0);
    await expect(manager.save(manager.create(User, person({ age: -1 })))).rejects.toMatchObject({ code: '23514' });
    const visit = await manager.save(manager.create(Visit, { address: '10.0.0.1' }));
    expect(await manager.findOneByOrFail(Visit, { id: visit.id })).toMatchObject({ address: '10.0.0.1' });
    const code = `c${made++}`;
    await Coupon.create({ code, discount: '0.50' }).save();
    expect(await Coupon.findOneByOrFail({ code })).toMatchObject({ discount: '0.50' });
  });
}
