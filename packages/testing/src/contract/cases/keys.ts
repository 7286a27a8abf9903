/** Every kind of identity: by the application, by the store, natural, composite. */
import assert from 'node:assert/strict';
import { InvalidQueryError, UniqueViolationError } from '@storeweave/core';
import { type ContractCase, test, transactions } from '../case.js';
import {
  articles,
  basics,
  countries,
  type EntityModelName,
  entityModels,
  sequences,
  shelves,
  tickets,
} from '../domain/groups.js';
import { Crate, RelationalShelf, RelationalTicket, Reply } from '../domain/keys.js';
import { dataCalls } from '../recorder.js';
import { range, refused, there } from './assertions.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function keysOf(on: EntityModelName): ContractCase[] {
  const needs = basics(on);
  const Shelf = shelves[on];
  return [
    test(`keys/${on}: a UUID is there at creation and grows with time`, needs, async ({ weave }) => {
      const ids = await weave.transaction(async (uow) =>
        range(20).map((i) => uow.create(articles[on], { sku: `${i}`, name: 'n' }).id),
      );
      for (const id of ids) assert.match(id, UUID_V7);
      assert.deepEqual([...ids].sort(), ids);
      assert.equal(new Set(ids).size, 20);
    }),

    test(`keys/${on}: an id of the application's own is kept`, needs, async ({ weave }) => {
      const id = '018f3c5e-0000-7000-8000-000000000001';
      await weave.transaction(async (uow) => void uow.create(articles[on], { id, sku: 'a', name: 'A' }));
      assert.equal(there(await weave.repository(articles[on]).findById(id)).sku, 'a');
    }),

    test(
      `keys/${on}: findByIds gives what is there, in the order of the ids, in one call`,
      needs,
      async ({ weave, calls }) => {
        const repository = weave.repository(articles[on]);
        await repository.insert(range(5).map((i) => ({ sku: `${i}`, name: 'n' })));
        const [a, b] = await repository.find({ orderBy: { sku: 'asc' } });
        const absent = '018f3c5e-0000-7000-8000-00000000ffff';
        const found: { sku: string }[] = [];
        const made = await calls(async () =>
          found.push(...(await repository.findByIds([there(b).id, absent, there(a).id, there(b).id]))),
        );
        assert.deepEqual(
          found.map((each) => each.sku),
          ['1', '0', '1'],
        );
        assert.equal(dataCalls(made).length, 1);
        assert.deepEqual(await repository.findByIds([]), []);
      },
    ),

    test(`keys/${on}: an absent id is an error and never everything`, needs, async ({ weave }) => {
      await weave.repository(articles[on]).insert({ sku: 'a', name: 'A' });
      for (const id of [undefined, null] as unknown as string[]) {
        await refused(InvalidQueryError, () => weave.repository(articles[on]).findById(id));
        await refused(InvalidQueryError, () => weave.repository(articles[on]).findByIds([id]));
      }
    }),

    test(
      `keys/${on}: the store makes numbers, in the order of creation`,
      [...needs, sequences(on), transactions(on)],
      async ({ weave }) => {
        const Ticket = tickets[on];
        const numbers = await weave.transaction(async (uow) => {
          const made = range(50).map((i) => uow.create(Ticket, { subject: `s${i}` }));
          await uow.flush();
          return made.map((each) => each.number);
        });
        assert.deepEqual(
          [...numbers].sort((a, b) => a - b),
          numbers,
        );
        assert.equal(new Set(numbers).size, 50);
        const found = await weave.repository(Ticket).find({ orderBy: { number: 'asc' } });
        assert.deepEqual(
          found.map((each) => [each.number, each.subject]),
          numbers.map((number, i) => [number, `s${i}`]),
        );
        const inserted = there(await weave.repository(Ticket).insert({ subject: 'later' }));
        assert.ok(inserted.number > there(numbers.at(-1)));
      },
    ),

    test(`keys/${on}: natural keys are found, changed, removed and never twice`, needs, async ({ weave }) => {
      const Country = countries[on];
      const repository = weave.repository(Country);
      await weave.transaction(async (uow) => {
        uow.create(Country, { code: 'fr', name: 'France' });
        uow.create(Country, { code: "o'b", name: 'quote' });
      });
      assert.equal(there(await repository.findById("o'b")).name, 'quote');
      await refused(UniqueViolationError, () =>
        weave.transaction(async (uow) => void uow.create(Country, { code: 'fr', name: 'again' })),
      );
      await weave.transaction(async (uow) => {
        there(await uow.repository(Country).findById('fr')).name = 'La France';
        uow.remove(there(await uow.repository(Country).findById("o'b")));
      });
      assert.deepEqual(
        (await repository.find()).map(({ code, name }) => [code, name]),
        [['fr', 'La France']],
      );
    }),

    test(`keys/${on}: composite keys are found, changed and removed by all their parts`, needs, async ({ weave }) => {
      await weave.transaction(async (uow) => {
        for (const hall of ['a', 'b'])
          for (const row of [1, 2]) uow.create(Shelf, { hall, row, label: `${hall}${row}` });
      });
      const repository = weave.repository(Shelf);
      assert.equal(there(await repository.findById({ hall: 'a', row: 2 })).label, 'a2');
      assert.equal(await repository.findById({ hall: 'a', row: 3 }), null);
      const some = await repository.findByIds([
        { hall: 'b', row: 1 },
        { hall: 'a', row: 1 },
        { hall: 'c', row: 1 },
      ]);
      assert.deepEqual(
        some.map((each) => each.label),
        ['b1', 'a1'],
      );
      await weave.transaction(async (uow) => {
        there(await uow.repository(Shelf).findById({ hall: 'a', row: 1 })).label = 'changed';
        there(await uow.repository(Shelf).findById({ hall: 'b', row: 2 })).label = 'too';
        uow.remove(there(await uow.repository(Shelf).findById({ hall: 'a', row: 2 })));
      });
      const left = await repository.find({ orderBy: [{ hall: 'asc' }, { row: 'asc' }] });
      assert.deepEqual(
        left.map((each) => each.label),
        ['changed', 'b1', 'too'],
      );
      await refused(UniqueViolationError, () => repository.insert({ hall: 'b', row: 1, label: 'twice' }));
      for (const key of ['a', { hall: 'a' }, { hall: 'a', row: undefined }] as never[])
        await refused(InvalidQueryError, () => repository.findById(key));
    }),
  ];
}

const references: readonly ContractCase[] = [
  test(
    'keys/relational: a reference to a number of the store is written in the same commit',
    [...basics('relational'), sequences('relational')],
    async ({ weave }) => {
      await weave.transaction(async (uow) => {
        for (const i of range(3)) {
          const ticket = uow.create(RelationalTicket, { subject: `s${i}` });
          uow.create(Reply, { ticket, text: `t${i}` });
        }
      });
      const replies = await weave.repository(Reply).find({ orderBy: { number: 'asc' }, populate: ['ticket'] });
      assert.deepEqual(
        replies.map((each) => [typeof each.number, each.text, each.ticket.value.subject]),
        [
          ['bigint', 't0', 's0'],
          ['bigint', 't1', 's1'],
          ['bigint', 't2', 's2'],
        ],
      );
    },
  ),

  test(
    'keys/relational: a reference by a composite key is set, followed, filtered and cleared',
    basics('relational'),
    async ({ weave }) => {
      await weave.transaction(async (uow) => {
        const shelf = uow.create(RelationalShelf, { hall: 'a', row: 1, label: 'x' });
        uow.create(RelationalShelf, { hall: 'a', row: 2, label: 'y' });
        uow.create(Crate, { content: 'thread', shelf });
        uow.create(Crate, { content: 'yarn', shelf: { hall: 'a', row: 2 } });
        uow.create(Crate, { content: 'none' });
      });
      const crates = await weave.repository(Crate).find({ orderBy: { content: 'asc' }, populate: ['shelf'] });
      assert.deepEqual(
        crates.map((each) => each.shelf.get()?.label ?? null),
        [null, 'x', 'y'],
      );
      assert.deepEqual(there(crates[1]).shelf.key, { hall: 'a', row: 1 });
      const shelf = await weave.repository(RelationalShelf).findOneOrFail({ where: { row: 2 }, populate: ['crates'] });
      assert.deepEqual(
        shelf.crates.items.map((each) => each.content),
        ['yarn'],
      );
      assert.equal(await weave.repository(Crate).count({ shelf: { hall: 'a', row: 1 } }), 1);
      await weave.transaction(async (uow) =>
        (await uow.repository(Crate).findOneOrFail({ where: { content: 'yarn' } })).shelf.set(null),
      );
      assert.equal(await weave.repository(Crate).count({ shelf: { exists: false } }), 2);
    },
  ),
];

export const keyCases: readonly ContractCase[] = [...entityModels.flatMap(keysOf), ...references];
