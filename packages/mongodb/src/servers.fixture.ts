/** A database on the server that the run shares, an opened store over it, and what was sent to the server meanwhile. */
import { compileDomain, type EntityClass, type EntityModel } from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { mongodb } from './mongodb.js';
import type { MongodbStore } from './store.js';

export interface Opened extends AsyncDisposable {
  readonly store: MongodbStore;
  readonly client: MongoClient;
  /** Names of the commands that were sent while the work ran, those of transactions left out. */
  commands(work: () => Promise<unknown>): Promise<string[]>;
  model(target: EntityClass): EntityModel;
}

const ENDS = new Set(['commitTransaction', 'abortTransaction', 'endSessions', 'ping']);

/**
 * Opens a store with the collections that the classes need; `url` for a database that is there already, `fenced` where
 * units of work may put fences on them.
 */
export async function openStore(entities: readonly EntityClass[], url?: string, fenced = false): Promise<Opened> {
  const client = new MongoClient(url ?? (await (await sharedServer('mongodb')).database('mongodb')), {
    monitorCommands: true,
  });
  const seen: CommandStartedEvent[] = [];
  client.on('commandStarted', (event) => seen.push(event));
  const store = mongodb({ client });
  const domain = compileDomain(entities);
  await store.open({ name: 'document', entities: domain.entities, fenced });
  await store.schema.apply(await store.schema.plan({}), {});
  return {
    store,
    client,
    async commands(work) {
      seen.length = 0;
      await work();
      return seen.map(({ commandName }) => commandName).filter((name) => !ENDS.has(name));
    },
    model: (target) => domain.of(target),
    async [Symbol.asyncDispose]() {
      await store.close();
      await client.close();
    },
  };
}
