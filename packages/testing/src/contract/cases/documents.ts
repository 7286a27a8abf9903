/** Changes inside a document without reading it, and grouping of documents. */
import assert from 'node:assert/strict';
import { count, InvalidQueryError, max, mean, sum, UniqueViolationError } from '@storeweave/core';
import { type ContractCase, has, test, transactions } from '../case.js';
import { DocumentArticle, DocumentReview } from '../domain/article.js';
import { arrays, basics } from '../domain/groups.js';
import { dataCalls } from '../recorder.js';
import { range, refused, there } from './assertions.js';

const needs = [...basics('document'), has('document', 'documents')];
const grouping = [...basics('document'), has('document', 'aggregate')];

export const documentCases: readonly ContractCase[] = [
  test('documents: set, inc and unset by id, in one call, with the version', needs, async ({ weave, calls }) => {
    const { id } = await weave.repository(DocumentArticle).insert({
      sku: 'a',
      name: 'A',
      stock: 1,
      maker: 'm',
      price: '1.10',
      details: { theme: 'light', deep: { n: 1 } },
    });
    await weave.repository(DocumentArticle).insert({ sku: 'b', name: 'B' });
    const made = await calls(async () => {
      const changed = await weave.documents(DocumentArticle).patch(id, {
        set: { name: 'changed', 'details.theme': 'dark', 'details.deep.list': [1, 2] },
        inc: { stock: 4, price: '0.05', 'details.deep.n': 2, 'details.fresh': 1 },
        unset: ['maker'],
      });
      assert.equal(changed, 1);
    });
    assert.equal(dataCalls(made).length, 1);
    const found = there(await weave.repository(DocumentArticle).findById(id));
    assert.deepEqual([found.name, found.stock, found.maker, found.version], ['changed', 5, null, 2]);
    assert.equal(Number(found.price), 1.15);
    assert.deepEqual(found.details, { theme: 'dark', deep: { n: 3, list: [1, 2] }, fresh: 1 });
    assert.equal((await weave.repository(DocumentArticle).findOneOrFail({ where: { sku: 'b' } })).version, 1);
  }),

  test('documents: push and pull on lists and inside json', [...needs, arrays('document')], async ({ weave }) => {
    const { id } = await weave
      .repository(DocumentReview)
      .insert({ author: 'a', subject: '1', labels: ['x', 'y', 'x'] });
    const documents = weave.documents(DocumentReview);
    await documents.patch(id, { push: { labels: ['z', "it's"] } });
    assert.deepEqual(there(await weave.repository(DocumentReview).findById(id)).labels, ['x', 'y', 'x', 'z', "it's"]);
    await documents.patch(id, { pull: { labels: 'x' } });
    assert.deepEqual(there(await weave.repository(DocumentReview).findById(id)).labels, ['y', 'z', "it's"]);
    const article = await weave
      .repository(DocumentArticle)
      .insert({ sku: 'a', name: 'A', details: { list: [1, { a: 1 }, 'two'] } });
    await weave
      .documents(DocumentArticle)
      .patch(article.id, { push: { 'details.list': 3, 'details.other': ['first'] } });
    await weave.documents(DocumentArticle).patch(article.id, { pull: { 'details.list': [{ a: 1 }, 'two'] } });
    assert.deepEqual(there(await weave.repository(DocumentArticle).findById(article.id)).details, {
      list: [1, 3],
      other: ['first'],
    });
  }),

  test('documents: paths into json make what is missing, and unset takes out', needs, async ({ weave }) => {
    const { id } = await weave.repository(DocumentArticle).insert({ sku: 'a', name: 'A' });
    const details = async () => there(await weave.repository(DocumentArticle).findById(id)).details;
    const patch = weave.documents(DocumentArticle);
    await patch.patch(id, { set: { 'details.a.b.c': 1, "details.it's": "'; drop" } });
    assert.deepEqual(await details(), { a: { b: { c: 1 } }, "it's": "'; drop" });
    await patch.patch(id, { unset: ['details.a.b.c', "details.it's", 'details.never'] });
    assert.deepEqual(await details(), { a: { b: {} } });
    await patch.patch(id, { set: { details: { whole: [null] } } });
    assert.deepEqual(await details(), { whole: [null] });
    await patch.patch(id, { set: { 'details.whole': null } });
    assert.deepEqual(await details(), { whole: null });
    await patch.patch(id, { unset: ['details'] });
    assert.equal(await details(), null);
  }),

  test('documents: embedded objects are set whole and in part', needs, async ({ weave }) => {
    const { id } = await weave.repository(DocumentArticle).insert({ sku: 'a', name: 'A' });
    const patch = weave.documents(DocumentArticle);
    await patch.patch(id, { set: { size: { width: 1, height: 2 } as never } });
    await patch.patch(id, { inc: { 'size.width': 2 } });
    assert.deepEqual(
      { ...there(there(await weave.repository(DocumentArticle).findById(id)).size) },
      { width: 3, height: 2 },
    );
    await patch.patch(id, { set: { size: null } });
    assert.equal(there(await weave.repository(DocumentArticle).findById(id)).size, null);
  }),

  test('documents: a patch by filter changes all that match', needs, async ({ weave }) => {
    await weave
      .repository(DocumentArticle)
      .insert(range(10).map((stock) => ({ sku: `${stock}`, name: 'n', stock, details: { group: stock % 2 } })));
    assert.equal(
      await weave
        .documents(DocumentArticle)
        .patch({ details: { group: 1 }, stock: { gte: 3 } }, { inc: { stock: 100 } }),
      4,
    );
    assert.equal(await weave.repository(DocumentArticle).count({ stock: { gte: 100 } }), 4);
    assert.equal(await weave.documents(DocumentArticle).patch({ sku: 'none' }, { inc: { stock: 1 } }), 0);
  }),

  test('documents: ten increments at once are ten', needs, async ({ weave }) => {
    const { id } = await weave.repository(DocumentArticle).insert({ sku: 'a', name: 'A', details: { n: 0 } });
    await Promise.all(range(10).map(() => weave.documents(DocumentArticle).patch(id, { inc: { 'details.n': 1 } })));
    assert.deepEqual(there(await weave.repository(DocumentArticle).findById(id)).details, { n: 10 });
  }),

  test('documents: a patch is part of the unit of work', [...needs, transactions('document')], async ({ weave }) => {
    const { id } = await weave.repository(DocumentArticle).insert({ sku: 'a', name: 'A' });
    await assert.rejects(
      weave.transaction(async (uow) => {
        await uow.documents(DocumentArticle).patch(id, { inc: { stock: 5 } });
        assert.equal((await uow.repository(DocumentArticle).findOneOrFail({})).stock, 5);
        throw new Error('no');
      }),
      /no/,
    );
    assert.equal(there(await weave.repository(DocumentArticle).findById(id)).stock, 0);
  }),

  test('documents: what cannot be patched is refused', needs, async ({ weave }) => {
    const [a] = await weave.repository(DocumentArticle).insert([
      { sku: 'a', name: 'A' },
      { sku: 'b', name: 'B' },
    ]);
    const { id } = there(a);
    const documents = weave.documents(DocumentArticle);
    await refused(UniqueViolationError, () => documents.patch(id, { set: { sku: 'b' } }));
    for (const patch of [
      {},
      { set: {} },
      { set: { nothing: 1 } },
      { inc: { name: 1 } },
      { push: { name: 'x' } },
      { unset: ['name'] },
      { set: { name: undefined } },
      { set: { details: 1 }, inc: { 'details.n': 1 } },
    ])
      await refused(InvalidQueryError, () => documents.patch(id, patch as never));
    await refused(InvalidQueryError, () => documents.patch(undefined as never, { inc: { stock: 1 } }));
    assert.equal(await weave.repository(DocumentArticle).count({ version: 1 }), 2);
  }),

  test('documents: grouping with filters, conditions on groups and order', grouping, async ({ weave }) => {
    await weave.repository(DocumentArticle).insert(
      range(12).map((i) => ({
        sku: `${i}`,
        name: `n${i % 3}`,
        stock: i,
        score: i % 4 === 0 ? null : i,
        details: { kind: i % 2 === 0 ? 'even' : 'odd', weight: i },
      })),
    );
    const rows = await weave.documents(DocumentArticle).aggregate({
      select: {
        name: 'name',
        articles: count(),
        scored: count('score'),
        stock: sum('stock'),
        mean: mean('score'),
        most: max('stock'),
      },
      where: { stock: { lt: 11 } },
      having: { articles: { gt: 3 } },
      orderBy: { name: 'desc' },
    });
    assert.deepEqual(rows, [
      { name: 'n1', articles: 4, scored: 3, stock: 22, mean: 6, most: 10 },
      { name: 'n0', articles: 4, scored: 3, stock: 18, mean: 6, most: 9 },
    ]);
    const byKind = await weave
      .documents(DocumentArticle)
      .aggregate({ select: { kind: 'details.kind' as never, n: count() }, orderBy: { n: 'desc' } });
    assert.deepEqual(
      byKind.map((row) => row.n),
      [6, 6],
    );
    assert.deepEqual(byKind.map((row) => row.kind as unknown).sort(), ['even', 'odd']);
  }),
];
