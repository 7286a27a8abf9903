import {
  type Condition,
  InvalidValueError,
  NotNullViolationError,
  type PatchOperation,
  type Value,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { databases } from '../testing/databases.fixture.js';
import { documentDomain } from '../testing/document-model.fixture.js';
import { field, guide, on, row, uuid } from '../testing/document-rows.fixture.js';
import { documentSuite } from '../testing/document-store.fixture.js';

describe.each(databases)('Patches on $name', ({ open }) => {
  const suite = documentSuite(open);
  const { insert, all, get } = suite;
  const patch = (...operations: PatchOperation[]) =>
    suite.store.documents.patch({ entity: guide, target: { keys: [[uuid(1)]] }, operations }, {});

  it('patches inside documents in one statement', async () => {
    await insert(
      row(1, { meta: { n: 1, list: [1, 2, 2, 3], deep: { list: ['a'] } }, tags: ['x'], size: 2n ** 60n, price: '0.1' }),
    );
    const version = await patch(
      { op: 'inc', on: on('version'), by: 1 },
      { op: 'set', on: on('title'), value: 'new' },
      { op: 'inc', on: on('visits'), by: 5 },
      { op: 'inc', on: on('visits'), by: -1 },
      { op: 'inc', on: on('size'), by: 1n },
      { op: 'inc', on: on('price'), by: '0.2' },
      { op: 'inc', on: on('score'), by: 0.5 },
      { op: 'push', on: on('tags'), values: ['y', 'x'] },
      { op: 'pull', on: on('tags'), values: ['x'] },
      { op: 'push', on: on('prices'), values: ['1.5'] },
      { op: 'pull', on: on('sizes'), values: [1n] },
      { op: 'set', on: on('home.position.latitude'), value: 1 },
      { op: 'pull', on: on('meta', 'list'), values: [2] },
      { op: 'inc', on: on('meta', 'n'), by: 2 },
      { op: 'set', on: on('meta', 'new', 'path'), value: { a: null } },
      { op: 'set', on: on('meta', 'deep', 'list', '0'), value: 'b' },
      { op: 'unset', on: on('meta', 'deep', 'nothing') },
      { op: 'unset', on: on('body') },
    );
    expect(version).toBe(1);
    expect(await all()).toEqual([
      row(1, {
        version: 2,
        title: 'new',
        visits: 5,
        size: 2n ** 60n + 1n,
        price: '0.3000000000',
        score: 0.5,
        tags: ['y'],
        prices: ['1.5'],
        'home.position.latitude': 1,
        meta: { n: 3, list: [1, 3], deep: { list: ['b'] }, new: { path: { a: null } } },
      }),
    ]);
  });

  it('refuses changes that the values do not allow, and changes nothing then', async () => {
    await insert(row(1, { meta: { text: '5', list: [] }, visits: 2_147_483_647 }));
    await expect(patch({ op: 'inc', on: on('meta', 'text'), by: 1 })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'push', on: on('meta', 'text'), values: [1] })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'pull', on: on('meta', 'text'), values: [1] })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'set', on: on('meta', 'list', 'a'), value: 1 })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'inc', on: on('visits'), by: 1 })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'unset', on: on('title') })).rejects.toThrow(NotNullViolationError);
    expect(await all()).toEqual([row(1, { meta: { text: '5', list: [] }, visits: 2_147_483_647 })]);
  });

  it('patches and updates by condition', async () => {
    await insert(row(1), row(2), row(3));
    const where: Condition = { op: 'gt', on: on('visits'), value: 1 };
    expect(
      await suite.store.documents.patch(
        { entity: guide, target: { where }, operations: [{ op: 'push', on: on('tags'), values: ['hot'] }] },
        {},
      ),
    ).toBe(2);
    expect(
      await suite.store.bulk(
        {
          op: 'updateWhere',
          entity: guide,
          where,
          set: [
            { field: field('body'), value: 'b' },
            { field: field('title'), value: 'T' },
          ],
          increment: [
            { field: field('visits'), by: 10 },
            { field: field('version'), by: 1 },
          ],
        },
        {},
      ),
    ).toBe(2);
    expect(await all()).toEqual([
      row(1),
      ...[2, 3].map((n) => row(n, { visits: n + 10, version: 2, title: 'T', body: 'b', tags: ['hot'] })),
    ]);
    expect(
      await suite.store.bulk(
        { op: 'deleteWhere', entity: guide, where: { op: 'contains', on: on('tags'), value: ['hot'] } },
        {},
      ),
    ).toBe(2);
    expect(await suite.store.count(guide, undefined, {})).toBe(1);
  });

  it('loses no increment to a concurrent writer', async () => {
    await insert(row(1, { visits: 0 }));
    await Promise.all(
      Array.from({ length: 20 }, () =>
        patch({ op: 'inc', on: on('visits'), by: 1 }, { op: 'push', on: on('tags'), values: ['t'] }),
      ),
    );
    const [visits, tags] = (await get('visits', 'tags')) ?? [];
    expect([visits, (tags as string[]).length]).toEqual([20, 20]);
  });

  it('patches as plain JavaScript does', async () => {
    const plain = memoryStore();
    await plain.open({ name: 'document', entities: documentDomain.entities });
    const key = fc.constantFrom('a', 'b', 'c');
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        fc.integer({ min: -9, max: 9 }),
        fc.constantFrom('x', 'y'),
        fc.boolean(),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    }));
    const path = fc.array(key, { minLength: 1, maxLength: 3 });
    const scalar = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom('x', 'y'));
    const operation: fc.Arbitrary<PatchOperation> = fc.oneof(
      fc.record({
        op: fc.constant('set' as const),
        on: path.map((keys) => on('meta', ...keys)),
        value: json.value as fc.Arbitrary<Value>,
      }),
      fc.record({
        op: fc.constant('set' as const),
        on: fc.constant(on('meta')),
        value: json.object as fc.Arbitrary<Value>,
      }),
      fc.record({
        op: fc.constant('inc' as const),
        on: path.map((keys) => on('meta', ...keys)),
        by: fc.integer({ min: -3, max: 3 }),
      }),
      fc.record({
        op: fc.constantFrom('push' as const, 'pull' as const),
        on: path.map((keys) => on('meta', ...keys)),
        values: fc.array(scalar, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({
        op: fc.constantFrom('push' as const, 'pull' as const),
        on: fc.constant(on('tags')),
        values: fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({
        op: fc.constant('set' as const),
        on: fc.constantFrom(on('home.city'), on('home.street'), on('body')),
        value: fc.constantFrom('p', 'q'),
      }),
      fc.record({ op: fc.constant('unset' as const), on: fc.constantFrom(on('home.city'), on('body'), on('tags')) }),
    );
    await fc.assert(
      fc.asyncProperty(json.object, fc.array(operation, { minLength: 1, maxLength: 5 }), async (meta, operations) => {
        await suite.database.ask('truncate guides');
        await plain.bulk?.({ op: 'deleteWhere', entity: guide, where: { op: 'and', conditions: [] } }, {});
        const outcomes = [];
        for (const target of [suite.store, plain]) {
          await target.write({ op: 'insert', entity: guide, fields: guide.fields, rows: [row(1, { meta })] }, {});
          const count = await target.documents
            ?.patch({ entity: guide, target: { keys: [[uuid(1)]] }, operations }, {})
            .catch(() => 'refused');
          outcomes.push([count, await target.read({ entity: guide, fields: guide.fields }, {})]);
        }
        // A key of letters into an array is refused here and ignored in memory.
        fc.pre(
          !(
            outcomes[0]?.[0] === 'refused' &&
            outcomes[1]?.[0] !== 'refused' &&
            operations.some(({ on }) => on.path !== undefined)
          ),
        );
        expect(outcomes[0]).toEqual(outcomes[1]);
      }),
      { numRuns: 150 },
    );
  });
});
