/** The shop over all four models: one commit, cascades, orphans, nested populate, cycles. */
import assert from 'node:assert/strict';
import { type ContractCase, test, together } from '../case.js';
import { shop } from '../domain/groups.js';
import { Customer, Line, Opinion, Order, Product, Profile, Visit } from '../domain/shop.js';
import { dataCalls } from '../recorder.js';
import { range, sameSet, there } from './assertions.js';

const needs = [...shop, together('relational', 'document', 'graph', 'timeseries')];
const at = (minute: number) => new Date(Date.UTC(2001, 0, 1, 0, minute));

export const shopCases: readonly ContractCase[] = [
  test('shop: one commit over four models is all there', needs, async ({ weave, calls }) => {
    const made = await calls(() =>
      weave.transaction(async (uow) => {
        const thread = uow.create(Product, { sku: 'thread', name: 'Thread' });
        const bob = uow.create(Customer, { email: 'bob@example.org', name: 'Bob' });
        const ann = uow.create(Customer, { email: 'ann@example.org', name: 'Ann' });
        ann.profile.set(uow.create(Profile, { bio: 'weaver' }));
        ann.friends.add(bob);
        ann.favourites.add(thread);
        ann.visits.add({ at: at(1), pages: 3 }, { at: at(2), pages: 5 });
        const order = uow.create(Order, { status: 'new', total: 7, customer: ann });
        order.lines.add(uow.create(Line, { quantity: 2, product: thread }));
        uow.create(Opinion, { stars: 5, author: ann, product: thread, data: { calm: true } });
      }),
    );
    // One batch per entity: product, customer, order, line, favourites; profile, opinion; friends; visits.
    assert.equal(made.filter(({ call }) => call === 'insert').length, 9);
    // A store that cannot pass over links that exist is asked for them first.
    assert.ok(dataCalls(made).length <= 11, `${dataCalls(made).length} calls`);
    assert.equal(made.filter(({ call }) => call === 'begin').length, 1);
    assert.equal(made.filter(({ call }) => call === 'commit').length, 1);
    const ann = await weave.repository(Customer).findOneOrFail({
      where: { name: 'Ann' },
      populate: ['profile', 'friends', 'favourites', 'visits', 'orders.lines.product', 'opinions.product'],
    });
    assert.equal(ann.profile.value.bio, 'weaver');
    sameSet(
      ann.friends.items.map((each) => each.name),
      ['Bob'],
    );
    sameSet(
      ann.favourites.items.map((each) => each.name),
      ['Thread'],
    );
    assert.deepEqual(
      ann.visits.items.map((each) => each.pages),
      [3, 5],
    );
    const [order] = ann.orders.items;
    assert.equal(there(there(order).lines.items[0]).product.value.sku, 'thread');
    assert.equal(there(ann.opinions.items[0]).product.value.name, 'Thread');
    const bob = await weave
      .repository(Customer)
      .findOneOrFail({ where: { name: 'Bob' }, populate: ['friends', 'profile'] });
    sameSet(
      bob.friends.items.map((each) => each.name),
      ['Ann'],
    );
    assert.equal(bob.profile.get(), null);
  }),

  test('shop: a failure in one model takes all four back', needs, async ({ weave }) => {
    await weave.repository(Customer).insert({ email: 'taken@example.org', name: 'first' });
    await assert.rejects(
      weave.transaction(async (uow) => {
        const ann = uow.create(Customer, { email: 'ann@example.org', name: 'Ann' });
        ann.profile.set(uow.create(Profile, { bio: 'weaver' }));
        ann.visits.add({ at: at(1), pages: 3 });
        ann.follows.add(uow.create(Customer, { email: 'bob@example.org', name: 'Bob' }));
        await uow.flush();
        uow.create(Customer, { email: 'taken@example.org', name: 'second' });
      }),
    );
    assert.deepEqual(
      [
        await weave.repository(Customer).count(),
        await weave.repository(Profile).count(),
        await weave.repository(Visit).count(),
      ],
      [1, 0, 0],
    );
  }),

  test('shop: adding one entity adds what it reaches', needs, async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const product = uow.create(Product, { sku: 'a', name: 'A' });
      uow.detach(product);
      const customer = uow.create(Customer, {
        email: 'ann@example.org',
        name: 'Ann',
        orders: [Object.assign(new Order(), { status: 'new', total: 1 })],
        favourites: [product],
      });
      assert.equal(customer.orders.get().length, 1);
    });
    assert.equal(await weave.repository(Order).count(), 1);
    assert.equal(await weave.repository(Product).count(), 1);
  }),

  test('shop: a removal cascades where it is declared and nowhere else', needs, async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const product = uow.create(Product, { sku: 'a', name: 'A' });
      for (const name of ['Ann', 'Bob']) {
        const customer = uow.create(Customer, { email: name, name });
        customer.profile.set(uow.create(Profile, { bio: name }));
        customer.favourites.add(product);
        const order = uow.create(Order, { status: 'new', total: 1, customer });
        order.lines.add(uow.create(Line, { quantity: 1, product }), uow.create(Line, { quantity: 2, product }));
        uow.create(Opinion, { stars: 1, author: customer, product });
      }
    });
    await weave.transaction(async (uow) =>
      uow.remove(await uow.repository(Customer).findOneOrFail({ where: { name: 'Ann' } })),
    );
    const counts = await Promise.all(
      [Customer, Profile, Order, Line, Product, Opinion].map((each) =>
        weave.repository(each as typeof Customer).count(),
      ),
    );
    assert.deepEqual(counts, [1, 1, 1, 2, 1, 2]);
    const product = await weave.repository(Product).findOneOrFail({ populate: ['fans'] });
    sameSet(
      product.fans.items.map((each) => each.name),
      ['Bob'],
    );
  }),

  test('shop: an orphan is removed, one that moves is not', needs, async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const product = uow.create(Product, { sku: 'a', name: 'A' });
      const customer = uow.create(Customer, { email: 'ann', name: 'Ann' });
      const first = uow.create(Order, { status: 'first', total: 1, customer });
      uow.create(Order, { status: 'second', total: 1, customer });
      for (const quantity of [1, 2, 3]) first.lines.add(uow.create(Line, { quantity, product }));
    });
    await weave.transaction(async (uow) => {
      const first = await uow.repository(Order).findOneOrFail({ where: { status: 'first' }, populate: ['lines'] });
      const second = await uow.repository(Order).findOneOrFail({ where: { status: 'second' }, populate: ['lines'] });
      const [one, two] = [1, 2].map((quantity) => there(first.lines.items.find((each) => each.quantity === quantity)));
      first.lines.remove(there(one), there(two));
      second.lines.add(there(two));
    });
    const orders = await weave.repository(Order).find({ populate: ['lines'], orderBy: { status: 'asc' } });
    assert.deepEqual(
      orders.map((each) => each.lines.items.map((line) => line.quantity)),
      [[3], [2]],
    );
    assert.equal(await weave.repository(Line).count(), 2);
  }),

  test('shop: filters reach over relations of any depth and store', needs, async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const products = ['a', 'b'].map((sku) => uow.create(Product, { sku, name: sku.toUpperCase() }));
      for (const [i, name] of ['Ann', 'Bob', 'Cem'].entries()) {
        const customer = uow.create(Customer, { email: name, name });
        if (i < 2) customer.profile.set(uow.create(Profile, { bio: `bio of ${name}` }));
        const order = uow.create(Order, { status: i === 0 ? 'paid' : 'new', total: i, customer });
        order.lines.add(uow.create(Line, { quantity: i, product: there(products[i % 2]) }));
        if (i > 0) uow.create(Opinion, { stars: i, author: customer, product: there(products[0]) });
      }
    });
    const found = async (where: Parameters<ReturnType<typeof weave.repository<Customer>>['count']>[0]) =>
      (await weave.repository(Customer).find({ where, orderBy: { name: 'asc' } })).map((each) => each.name[0]).join('');
    const ids = (await weave.repository(Customer).find({ orderBy: { name: 'asc' } })).map((each) => each.id);
    assert.equal(await weave.repository(Order).count({ customer: { in: ids.slice(1) } }), 2);
    assert.equal(await weave.repository(Opinion).count({ author: { notIn: ids.slice(2) } }), 1);
    assert.equal(await found({ orders: { status: 'paid' } }), 'A');
    assert.equal(await found({ orders: { lines: { product: { name: 'A' } } } }), 'AC');
    assert.equal(await found({ profile: { bio: { like: '%Bob' } } }), 'B');
    assert.equal(await found({ profile: { exists: false } }), 'C');
    assert.equal(await found({ opinions: { stars: { gte: 2 } } }), 'C');
    assert.equal(await found({ not: { opinions: { product: { sku: 'a' } } } }), 'A');
    assert.equal(await found({ or: [{ name: 'Ann' }, { opinions: { stars: 1 } }] }), 'AB');
    assert.equal(
      await weave.repository(Line).count({ order: { customer: { profile: { bio: { contains: 'Ann' } } } } }),
      1,
    );
  }),

  test('shop: nested populate over stores, in cycles, costs one call per level', needs, async ({ weave, calls }) => {
    const costs: number[] = [];
    for (const n of [10, 1_000]) {
      await weave.transaction(async (uow) => {
        const customers = range(n).map((i) => uow.create(Customer, { email: `${n}-${i}`, name: `n${n}` }));
        for (const [i, each] of customers.entries()) {
          each.follows.add(there(customers[(i + 1) % n]));
          uow.create(Profile, { bio: `${i}`, customer: each });
        }
      });
      const made = await calls(async () => {
        const customers = await weave.repository(Customer).find({
          where: { name: `n${n}` },
          populate: ['profile.customer', 'follows.follows.profile'],
        });
        assert.equal(customers.length, n);
        for (const each of customers) {
          assert.equal(each.profile.value.customer.value, each);
          const [next] = each.follows.items;
          assert.equal(there(next).follows.items.length, 1);
          assert.ok(there(there(next).follows.items[0]).profile.value.bio);
        }
      });
      costs.push(dataCalls(made).length);
    }
    assert.equal(costs[0], costs[1]);
  }),

  test('shop: a self-made cycle of references is written', needs, async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const [a, b, c] = ['a', 'b', 'c'].map((name) => uow.create(Customer, { email: name, name }));
      there(a).follows.add(there(b));
      there(b).follows.add(there(c));
      there(c).follows.add(there(a));
    });
    const a = await weave
      .repository(Customer)
      .findOneOrFail({ where: { name: 'a' }, populate: ['follows', 'followers'] });
    assert.deepEqual([a.follows.items[0]?.name, a.followers.items[0]?.name], ['b', 'c']);
  }),
];
