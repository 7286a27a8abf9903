/** A store on the run's Neo4j, with labels that nobody else has, and what its tests keep asking for. */
import { compileDomain, type EntityClass, type EntityModel, type Field, type Row } from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { type Neo4jOptions, neo4j } from './neo4j.js';
import type { Neo4jStore } from './store.js';

export interface OpenedStore {
  readonly store: Neo4jStore;
  readonly options: Neo4jOptions;
  readonly labelPrefix: string;
  of(target: EntityClass): EntityModel;
  /** The hidden entity of a `@Related` relation, by its relationship type. */
  link(type: string): EntityModel;
  readonly entities: readonly EntityModel[];
  insert(entity: EntityModel, rows: readonly Row[]): Promise<unknown>;
}

/** Opens a store over these classes, with its constraints made. */
export async function openStore(
  classes: readonly EntityClass[],
  more: Partial<Neo4jOptions> & { readonly fenced?: boolean } = {},
): Promise<OpenedStore> {
  const server = await sharedServer('neo4j');
  const { url, username, password } = server;
  const labelPrefix = await server.space('test');
  const { fenced, ...rest } = more;
  const options = { url, username, password, labelPrefix, ...rest };
  const domain = compileDomain(classes);
  const entities = domain.entities.filter((entity) => entity.store === 'graph');
  const store = neo4j(options);
  await store.open({ name: 'graph', entities, ...(fenced === undefined ? {} : { fenced }) });
  await store.schema.apply(await store.schema.plan({}), {});
  return {
    store,
    options,
    labelPrefix: options.labelPrefix,
    entities,
    of: (target) => domain.of(target),
    link: (type) => {
      const found = entities.find((entity) => entity.source === type);
      if (found === undefined) throw new Error(`There is no relationship of type ${type}.`);
      return found;
    },
    insert: (entity, rows) => store.write({ op: 'insert', entity, fields: entity.fields, rows }, {}),
  };
}

export function fieldOf(entity: EntityModel, name: string): Field {
  const field = entity.fieldsByName.get(name);
  if (field === undefined) throw new Error(`${entity.name} has no field ${name}.`);
  return field;
}
