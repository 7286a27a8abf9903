/** The schema follows the metadata, and what the driver gives is enlisted in the running transaction. */
import assert from 'node:assert/strict';
import { type DataModel, Document, Id, Node, Property, Relational, SchemaError } from '@storeweave/core';
import { type ContractCase, has, model, reopening, test, transactions } from '../case.js';
import { basics, type EntityModelName, entityModels } from '../domain/groups.js';
import { refused, there } from './assertions.js';

const keeping = { relational: Relational, document: Document, graph: Node } as const;

/** Two versions of a class that are kept in the same place. */
function versions(on: EntityModelName) {
  const source = { table: 'drafts', collection: 'drafts', label: 'drafts' };
  const before = class Draft {
    declare id: string;
    declare title: string;
    declare obsolete: string | null;
  };
  const after = class Draft {
    declare id: string;
    declare title: string;
    declare summary: string | null;
  };
  for (const [entity, members] of [
    [before, { id: Id(), title: Property('string'), obsolete: Property('string', { nullable: true }) }],
    [after, { id: Id(), title: Property('string', { index: true }), summary: Property('string', { nullable: true }) }],
  ] as const) {
    for (const [name, decorator] of Object.entries(members))
      (decorator as (target: object, name: string) => void)(entity.prototype, name);
    (keeping[on](source) as unknown as (target: unknown) => void)(entity);
  }
  return { before, after };
}

function schemaOf(on: EntityModelName): ContractCase[] {
  const needs = [...basics(on), has(on, 'schema')];
  return [
    test(`schema/${on}: nothing is left to do after opening`, needs, async ({ weave }) => {
      const plan = await weave.schema.plan();
      assert.deepEqual(
        [...plan.changes].map((change) => change.summary),
        [],
      );
      assert.equal(plan.isEmpty, true);
    }),

    test(
      `schema/${on}: what is new is added, what is gone is kept until told otherwise`,
      [...needs, reopening],
      async ({ reopen }) => {
        const { before, after } = versions(on);
        const open = await reopen();
        const first = await open([before]);
        await first.repository(before).insert({ title: 't', obsolete: 'o' });
        await first.close();
        const second = await open([after]);
        await second.repository(after).insert({ title: 'u', summary: 's' });
        const titles = async () =>
          (await second.repository(after).find({ orderBy: { title: 'asc' } })).map(({ title, summary }) => [
            title,
            summary,
          ]);
        assert.deepEqual(await titles(), [
          ['t', null],
          ['u', 's'],
        ]);
        const left = await second.schema.plan();
        for (const change of left.changes) assert.ok(change.destructive || change.kind === 'drift', change.summary);
        await second.schema.apply({ allowDestructive: true });
        assert.equal((await second.schema.plan()).changes.filter((change) => change.kind !== 'drift').length, 0);
        assert.deepEqual(await titles(), [
          ['t', null],
          ['u', 's'],
        ]);
        await second.close();
        const third = await open([after], { schema: 'verify' });
        assert.equal(await third.repository(after).count(), 2);
      },
    ),

    test(
      `schema/${on}: opening with 'verify' makes nothing and says what is missing`,
      [...needs, reopening],
      async ({ reopen }) => {
        const { before } = versions(on);
        const open = await reopen();
        const error = await refused(SchemaError, () => open([before], { schema: 'verify' }));
        assert.match(error.message, /drafts/);
        const weave = await open([before]);
        await weave.repository(before).insert({ title: 't' });
        await weave.close();
        const again = await open([before], { schema: 'verify' });
        assert.equal(await again.repository(before).count(), 1);
      },
    ),

    test(
      `schema/${on}: what was written is there after closing and opening`,
      [...needs, reopening],
      async ({ reopen }) => {
        const { before } = versions(on);
        const open = await reopen();
        const first = await open([before]);
        await first.repository(before).insert({ title: 'kept' });
        await first.close();
        const second = await open([before]);
        assert.deepEqual(
          (await second.repository(before).find()).map(({ title }) => title),
          ['kept'],
        );
      },
    ),
  ];
}

function nativeOf(on: DataModel): ContractCase[] {
  return [
    test(
      `native/${on}: gives the driver's own object, in and out of a unit of work`,
      [model(on), transactions(on)],
      async ({ weave }) => {
        assert.ok(there(weave.native(on)));
        await weave.transaction(async (uow) => {
          assert.ok(there(await uow.native(on)));
        });
      },
    ),
  ];
}

export const schemaCases: readonly ContractCase[] = [
  ...entityModels.flatMap(schemaOf),
  ...(['relational', 'document', 'graph', 'timeseries'] as const).flatMap(nativeOf),
];
