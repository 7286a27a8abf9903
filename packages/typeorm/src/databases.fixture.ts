/** The databases that the tests of this package run on: stores over one that is empty at first. */
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { compileDomain, type EntityClass, type EntityModel, type Field } from '@storeweave/core';
import { sharedPostgres } from '@storeweave/testing/servers';
import type { TypeormOptions } from './options.js';
import { typeorm } from './typeorm.js';
import type { TypeormStore } from './typeorm-store.js';

export interface TestDatabase {
  /** Options of a store over the database; of a PGlite for one store at a time. */
  options(): TypeormOptions;
  /** Empties it. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export const databases = [
  {
    name: 'PostgreSQL',
    async open(): Promise<TestDatabase> {
      const server = await sharedPostgres();
      let url = await server.database('typeorm');
      return {
        options: () => ({ url, poolSize: 4 }),
        reset: async () => {
          url = await server.database('typeorm');
        },
        close: async () => undefined,
      };
    },
  },
  {
    name: 'PGlite',
    async open(): Promise<TestDatabase> {
      const pglite = new PGlite();
      return {
        options: () => ({ extra: createPgConfig(pglite), poolSize: 1 }),
        reset: async () => {
          await pglite.exec('drop schema if exists zoo cascade; drop schema public cascade; create schema public;');
        },
        close: () => pglite.close(),
      };
    },
  },
] as const;

export interface Opened {
  readonly store: TypeormStore;
  readonly entities: readonly EntityModel[];
  entity(name: string): EntityModel;
}

/** A store that has been given these classes; their schema is not applied. */
export async function openStore(options: TypeormOptions, classes: readonly EntityClass[]): Promise<Opened> {
  const domain = compileDomain(classes);
  const entities = domain.entities.filter((entity) => entity.store === 'relational');
  const store = typeorm(options);
  await store.open({ name: 'relational', entities });
  return { store, entities, entity: (name) => required(domain.byName(name), name) };
}

export function fields(entity: EntityModel, ...names: string[]): Field[] {
  return names.map((name) => required(entity.fieldsByName.get(name), name));
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`There is no ${name}`);
  return value;
}
