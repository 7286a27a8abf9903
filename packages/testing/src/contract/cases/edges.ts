/** Values at the edge of what stores can keep: each is kept exactly or refused with an error of ours, never bent. */
import assert from 'node:assert/strict';
import { type EntityClass, StoreweaveError } from '@storeweave/core';
import { type ContractCase, model, test } from '../case.js';
import { allTypes, articles, basics, type EntityModelName, entityModels, specimens } from '../domain/groups.js';
import { range, there } from './assertions.js';

const edges: Record<string, readonly unknown[]> = {
  word: ['a\u0000b', '\ud800', 'x\udfff', '\ufeff', '\uffff', 'a\u0000', 'x'.repeat(1_000_000)],
  real: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  instant: [new Date(8_640_000_000_000_000), new Date(-8_640_000_000_000_000), new Date(-62_135_596_800_001)],
  day: ['0001-01-01', '12345-01-01'],
  exact: ['1'.repeat(200), `0.${'1'.repeat(200)}`],
  data: [
    { text: 'a\u0000b' },
    { 'a\u0000b': 1 },
    ['\ud800'],
    JSON.parse('{"__proto__": {"x": 1}}'),
    Number.MAX_VALUE,
    1e-320,
  ],
};

interface Kept {
  id: string;
  [property: string]: unknown;
}

function edgesOf(on: EntityModelName): ContractCase[] {
  const Specimen = specimens[on] as unknown as EntityClass<Kept>;
  return [
    ...Object.entries(edges).map(([property, values]) =>
      test(`edges/${on}: ${property} is kept exactly or refused`, [model(on), allTypes(on)], async ({ weave }) => {
        const repository = weave.repository(Specimen);
        for (const [i, value] of values.entries()) {
          let id: string;
          try {
            ({ id } = await repository.insert({ [property]: value } as never));
          } catch (error) {
            assert.ok(error instanceof StoreweaveError, `${property} number ${i}: ${String(error)}`);
            continue;
          }
          assert.deepEqual(there(await repository.findById(id as never))[property], value, `${property} number ${i}`);
        }
      }),
    ),

    test(
      `edges/${on}: a filter with such a value is answered or refused`,
      [model(on), allTypes(on)],
      async ({ weave }) => {
        const repository = weave.repository(Specimen);
        await repository.insert({ word: 'plain', data: { text: 'plain' } } as never);
        for (const where of [
          { word: 'a\u0000b' },
          { word: { like: 'plain\\' } },
          { word: { contains: '\ud800' } },
          { data: { text: 'a\u0000b' } },
          { data: { 'a\u0000b': 1 } },
          { data: { contains: { text: '\u0000' } } },
          { instant: new Date(-8_640_000_000_000_000) },
          { exact: '1'.repeat(300) },
        ]) {
          try {
            assert.equal(await repository.count(where as never), 0, JSON.stringify(where));
          } catch (error) {
            assert.ok(error instanceof StoreweaveError, String(error));
          }
        }
      },
    ),

    test(`edges/${on}: a unique text of any length is kept or refused`, basics(on), async ({ weave }) => {
      const sku = range(20_000)
        .map((i) => String.fromCharCode(97 + ((i * 7919) % 26)))
        .join('');
      const repository = weave.repository(articles[on]);
      try {
        await repository.insert({ sku, name: 'long' });
      } catch (error) {
        assert.ok(error instanceof StoreweaveError, String(error));
        assert.equal(await repository.count(), 0);
        return;
      }
      assert.equal((await repository.findOneOrFail({ where: { sku } })).name, 'long');
    }),

    test(`edges/${on}: a commit may have tens of thousands of rows`, basics(on), async ({ weave }) => {
      const Article = articles[on];
      await weave.transaction(async (uow) => {
        for (const i of range(20_000)) uow.create(Article, { sku: `${i}`, name: 'n', stock: i });
      });
      assert.equal(await weave.repository(Article).count(), 20_000);
      await weave.transaction(async (uow) => {
        for (const each of await uow.repository(Article).find({ where: { stock: { gte: 5_000 } } }))
          each.name = 'changed';
      });
      assert.equal(await weave.repository(Article).count({ name: 'changed', version: 2 }), 15_000);
    }),
  ];
}

export const edgeCases: readonly ContractCase[] = entityModels.flatMap(edgesOf);
