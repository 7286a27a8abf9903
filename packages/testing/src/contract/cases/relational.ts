/** What relational stores add: grouping over joins, SQL with bound values, the native client; all in the transaction. */
import assert from 'node:assert/strict';
import {
  column,
  count,
  countDistinct,
  ForeignKeyViolationError,
  InvalidQueryError,
  identifier,
  list,
  max,
  mean,
  min,
  sum,
  table,
  UniqueViolationError,
} from '@storeweave/core';
import { type ContractCase, can, has, test, transactions } from '../case.js';
import { Booking, RelationalArticle } from '../domain/article.js';
import { basics, partialIndexes, shop } from '../domain/groups.js';
import { Customer, Line, Order, Product } from '../domain/shop.js';
import { dataCalls } from '../recorder.js';
import { range, refused, there } from './assertions.js';

const needs = basics('relational');
const grouping = [...needs, has('relational', 'aggregate')];
const speaksSql = [...needs, has('relational', 'relational')];

export const relationalCases: readonly ContractCase[] = [
  test('relational: grouping in every type and function', grouping, async ({ weave, calls }) => {
    await weave.repository(RelationalArticle).insert(
      range(10).map((i) => ({
        sku: `${i}`,
        name: `n${i % 2}`,
        stock: i,
        maker: i < 4 ? null : `m${i % 3}`,
        price: `${i}.10`,
        score: i / 2,
      })),
    );
    const made = await calls(async () => {
      const rows = await weave.relational(RelationalArticle).query({
        select: {
          name: 'name',
          n: count(),
          made: count('maker'),
          makers: countDistinct('maker'),
          stock: sum('stock'),
          price: sum('price'),
          score: mean('score'),
          least: min('price'),
          most: max('sku'),
        },
        orderBy: { name: 'asc' },
      });
      assert.deepEqual(
        rows.map((row) => ({ ...row, price: Number(row.price), least: Number(row.least) })),
        [
          { name: 'n0', n: 5, made: 3, makers: 3, stock: 20, price: 20.5, score: 2, least: 0.1, most: '8' },
          { name: 'n1', n: 5, made: 3, makers: 3, stock: 25, price: 25.5, score: 2.5, least: 1.1, most: '9' },
        ],
      );
    });
    assert.equal(dataCalls(made).length, 1);
    const [all] = await weave
      .relational(RelationalArticle)
      .query({ select: { n: count(), stock: sum('stock') }, where: { stock: { gt: 100 } } });
    assert.deepEqual(all, { n: 0, stock: null });
  }),

  test(
    'relational: grouping over joins, with conditions on groups, order and limit',
    [...grouping, ...shop],
    async ({ weave }) => {
      await weave.transaction(async (uow) => {
        const products = ['a', 'b'].map((sku) => uow.create(Product, { sku, name: sku.toUpperCase() }));
        for (const [i, name] of ['Ann', 'Bob', 'Cem'].entries()) {
          const customer = uow.create(Customer, { email: name, name });
          for (const n of range(i + 1)) {
            const order = uow.create(Order, { status: 'new', total: n, customer });
            order.lines.add(uow.create(Line, { quantity: n + 1, product: there(products[n % 2]) }));
          }
        }
      });
      const rows = await weave.relational(Line).query({
        select: { customer: 'order.customer.name', product: 'product.name', quantity: sum('quantity') },
        having: { quantity: { gt: 1 } },
        orderBy: [{ quantity: 'desc' }, { customer: 'asc' }],
        limit: 3,
      });
      assert.deepEqual(rows, [
        { customer: 'Cem', product: 'A', quantity: 4 },
        { customer: 'Bob', product: 'B', quantity: 2 },
        { customer: 'Cem', product: 'B', quantity: 2 },
      ]);
      const orders = await weave
        .relational(Order)
        .query({ select: { customer: 'customer', n: count() }, where: { customer: { name: 'Cem' } } });
      assert.deepEqual(
        orders.map((row) => row.n),
        [3],
      );
    },
  ),

  test('relational: SQL binds its values and quotes its names', speaksSql, async ({ weave }) => {
    const nasty = `'; drop table articles; --`;
    await weave.repository(RelationalArticle).insert([
      { sku: 'a', name: nasty, stock: 3 },
      { sku: 'b', name: 'B', stock: 4 },
    ]);
    const relational = weave.relational(RelationalArticle);
    const rows = await relational.sql<{ sku: string }>`
      select ${column(RelationalArticle, 'sku')} as ${identifier('sku')} from ${table(RelationalArticle)}
      where ${column(RelationalArticle, 'name')} = ${nasty}`;
    assert.deepEqual(
      rows.map((row) => row.sku),
      ['a'],
    );
    const some = await relational.sql<{ sku: string }>`
      select sku from ${table(RelationalArticle)} where sku in (${list(['a', 'b', nasty])}) order by sku`;
    assert.deepEqual(
      some.map((row) => row.sku),
      ['a', 'b'],
    );
    await refused(InvalidQueryError, () => relational.sql`select ${undefined}`);
    await refused(InvalidQueryError, () => relational.sql`select ${list([])}`);
  }),

  test('relational: SQL is part of the unit of work', [...speaksSql, transactions('relational')], async ({ weave }) => {
    await assert.rejects(
      weave.transaction(async (uow) => {
        uow.create(RelationalArticle, { sku: 'a', name: 'A', stock: 1 });
        const relational = uow.relational(RelationalArticle);
        const seen = await relational.sql<{ sku: string }>`select sku from ${table(RelationalArticle)}`;
        assert.deepEqual(
          seen.map((row) => row.sku),
          ['a'],
        );
        await relational.sql`update ${table(RelationalArticle)} set stock = ${7}`;
        assert.equal(await uow.repository(RelationalArticle).count({ stock: 7 }), 1);
        throw new Error('no');
      }),
      /no/,
    );
    assert.equal(await weave.repository(RelationalArticle).count(), 0);
  }),

  test('relational: a partial unique index holds where its condition does', partialIndexes, async ({ weave }) => {
    const bookings = weave.repository(Booking);
    await bookings.insert([
      { seat: 'a1', status: 'active' },
      { seat: 'a1', status: 'old' },
      { seat: 'a1', status: 'old' },
      { seat: 'b2', status: 'active' },
    ]);
    await refused(UniqueViolationError, () => bookings.insert({ seat: 'a1', status: 'active' }));
    await refused(UniqueViolationError, () => bookings.update({ status: 'old' }, { status: 'active' }));
    assert.equal(await bookings.count({ status: 'active' }), 2);
  }),

  test(
    'relational: a row that is referred to is not deleted',
    [...shop, can('relational', 'foreignKeys', (c) => c.foreignKeys)],
    async ({ weave }) => {
      await weave.transaction(async (uow) => {
        const customer = uow.create(Customer, { email: 'a', name: 'A' });
        uow.create(Order, { status: 'new', total: 1, customer });
      });
      await refused(ForeignKeyViolationError, () => weave.repository(Customer).delete({ name: 'A' }));
      await refused(ForeignKeyViolationError, () =>
        weave.repository(Order).insert({ status: 'x', total: 1, customer: '018f3c5e-0000-7000-8000-000000000009' }),
      );
      assert.equal(await weave.repository(Customer).count(), 1);
    },
  ),
];
