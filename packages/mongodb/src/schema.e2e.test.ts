/** What the metadata makes of collections, what is reported and what is refused. */
import {
  CheckViolationError,
  compileDomain,
  Document,
  type EntityClass,
  Id,
  NotNullViolationError,
  Property,
  UniqueViolationError,
} from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { mongodb } from './mongodb.js';
import { openStore } from './servers.fixture.js';

type Decorate = (target: object, name: string) => void;

/** A class called Paper in the collection `papers`, with these properties and class decorators. */
function paper(members: Record<string, unknown>, ...decorators: unknown[]): EntityClass {
  const made = class Paper {};
  for (const [name, decorator] of Object.entries({ id: Id('integer'), ...members })) {
    (decorator as Decorate)(made.prototype, name);
  }
  for (const decorator of [Document({ collection: 'papers' }), ...decorators])
    (decorator as (target: unknown) => void)(made);
  return made;
}

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

async function database(): Promise<string> {
  return (await sharedServer('mongodb')).database('schema');
}

async function storeFor(url: string, entity: EntityClass, apply = true) {
  const opened = apply ? await openStore([entity], url) : undefined;
  if (opened !== undefined) open.push(opened);
  const client = opened?.client ?? new MongoClient(url);
  const store = opened?.store ?? mongodb({ client });
  if (opened === undefined) {
    await store.open({ name: 'document', entities: compileDomain([entity]).entities });
    open.push({ [Symbol.asyncDispose]: () => store.close().then(() => client.close()) });
  }
  const summaries = async () =>
    (await store.schema.plan({})).map(({ kind, summary, destructive }) => [kind, summary, destructive]);
  return {
    store,
    client,
    summaries,
    papers: client.db().collection<{ _id: number; [key: string]: unknown }>('papers'),
  };
}

describe('the schema of a collection', () => {
  it('is made once, and then nothing is left to do', async () => {
    const url = await database();
    const entity = paper({
      title: Property('string', { unique: true, length: 5 }),
      note: Property('string', { nullable: true, unique: true }),
      tags: Property('string', { array: true, index: true }),
    });
    const { summaries, papers } = await storeFor(url, entity);
    expect(await summaries()).toEqual([]);
    const indexes = await papers.listIndexes().toArray();
    expect(indexes.find(({ name }) => name === 'papers_title_key')).toMatchObject({ unique: true, key: { title: 1 } });
    // Absent values are no conflict.
    await papers.insertMany([
      { _id: 1, title: 'a', tags: [] },
      { _id: 2, title: 'b', tags: [] },
    ]);
  });

  it('adds what is new, reports what is not declared, and keeps both usable', async () => {
    const url = await database();
    const before = paper({ old: Property('string', { nullable: true, index: true }), gone: Property('integer') });
    await storeFor(url, before);
    const after = paper({ fresh: Property('integer', { nullable: true, index: true }) });
    const { store, summaries } = await storeFor(url, after, false);
    expect(await summaries()).toEqual([
      ['alter', 'change the validator of papers', false],
      ['drift', 'papers has the property old, which Paper does not declare', false],
      ['drift', 'papers has the property gone, which Paper does not declare', false],
      ['alter', 'add index papers_fresh_idx to papers', false],
      ['drift', 'papers has the index papers_old_idx, which Paper does not declare', false],
    ]);
    await store.schema.apply(await store.schema.plan({}), {});
    expect((await summaries()).map(([kind]) => kind)).toEqual(['drift', 'drift', 'drift']);
    const [entity] = compileDomain([after]).entities;
    if (entity === undefined) throw new Error('no entity');
    await store.write({ op: 'insert', entity, fields: entity.fields, rows: [[1, 5]] }, {});
  });

  it('marks as destructive what documents may refuse', async () => {
    const url = await database();
    const { papers } = await storeFor(url, paper({ title: Property('string') }));
    await papers.insertMany([
      { _id: 1, title: 'same' },
      { _id: 2, title: 'same' },
    ]);
    const { store, summaries } = await storeFor(url, paper({ title: Property('string', { unique: true }) }), false);
    expect(await summaries()).toEqual([
      ['alter', 'add unique index papers_title_key to papers (documents exist and may hold a value twice)', true],
    ]);
    await expect(store.schema.plan({}).then((plan) => store.schema.apply(plan, {}))).rejects.toThrow(
      UniqueViolationError,
    );
  });

  it('refuses documents of other writers that do not fit', async () => {
    const entity = paper({ title: Property('string', { length: 3 }), stars: Property('integer', { nullable: true }) });
    const { store, papers, client } = await storeFor(await database(), entity);
    await expect(papers.insertOne({ _id: 1, title: 5 })).rejects.toMatchObject({ code: 121 });
    await expect(papers.insertOne({ _id: 1, title: 'long' })).rejects.toMatchObject({ code: 121 });
    await expect(papers.insertOne({ _id: 1, stars: 5 })).rejects.toMatchObject({ code: 121 });
    const [model] = compileDomain([entity]).entities;
    if (model === undefined) throw new Error('no entity');
    const insert = (row: unknown[]) =>
      store.write({ op: 'insert', entity: model, fields: model.fields, rows: [row] }, {});
    await expect(insert([1, 'ok', 'no number'])).rejects.toThrow(CheckViolationError);
    await expect(insert([1, null, 1])).rejects.toThrow(NotNullViolationError);
    expect(await client.db().collection('papers').countDocuments()).toBe(0);
  });

  it('is safe for several processes at once', async () => {
    const url = await database();
    const entity = paper({ title: Property('string', { unique: true }) });
    const stores = await Promise.all(Array.from({ length: 4 }, () => storeFor(url, entity)));
    for (const { summaries } of stores) expect(await summaries()).toEqual([]);
  });
});
