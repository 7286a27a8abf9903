/**
 * A document store for a suite of tests: opened before the first one in a database of its own, its tables emptied
 * before each, closed after the last; with the reads and writes of guides that most tests begin or end with.
 */
import type { Row } from '@storeweave/core';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { PostgresDocumentStore } from '../documents/document-store.js';
import type { TestDatabase } from './databases.fixture.js';
import { documentDomain } from './document-model.fixture.js';
import { field, guide, on } from './document-rows.fixture.js';

export const byId = [{ on: on('id'), direction: 'asc' as const, nulls: 'last' as const }];

/** Opens and closes with the tests of the `describe` that it is called in. */
export function documentSuite(open: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  let store: PostgresDocumentStore;

  beforeAll(async () => {
    database = await open();
    store = new PostgresDocumentStore(database.domain);
    await store.open({ name: 'document', entities: documentDomain.entities });
    await store.schema.apply(await store.schema.plan({}), {});
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });
  beforeEach(async () => {
    await database.ask('truncate guides, notes restart identity');
  });

  return {
    get database() {
      return database;
    },
    get store() {
      return store;
    },
    insert: (...rows: Row[]) => store.write({ op: 'insert', entity: guide, fields: guide.fields, rows }, {}),
    all: () => store.read({ entity: guide, fields: guide.fields, order: byId }, {}),
    /** Some values of the first guide. */
    get: async (...names: string[]) =>
      (await store.read({ entity: guide, fields: names.map((name) => field(name)) }, {}))[0],
  };
}
