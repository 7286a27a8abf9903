/** A store under fences and the calls of units of work on it, with rows as objects. */
import { randomUUID } from 'node:crypto';
import type {
  DeleteBatch,
  EntityModel,
  FenceOutcome,
  FenceOwner,
  InsertBatch,
  Row,
  UpdateBatch,
  WriteBatch,
} from '@storeweave/core';
import type { Driver } from 'neo4j-driver';
import { expect } from 'vitest';
import { fieldOf, type OpenedStore } from '../servers.fixture.js';

export type Values = Readonly<Record<string, unknown>>;

export const unit = (): FenceOwner => ({ unitOfWork: randomUUID(), coordinator: 'relational' });

export class Bench {
  constructor(readonly opened: OpenedStore) {}

  get store() {
    return this.opened.store;
  }

  get participant() {
    return this.opened.store.participant;
  }

  insert(entity: EntityModel, ...objects: Values[]): InsertBatch {
    const names = Object.keys(objects[0] ?? {});
    const fields = names.map((name) => fieldOf(entity, name));
    return { op: 'insert', entity, fields, rows: objects.map((object) => names.map((name) => object[name])) };
  }

  update(entity: EntityModel, keys: readonly Row[], values: Values | readonly Values[], version?: number): UpdateBatch {
    const objects = keys.map((_, at) => (Array.isArray(values) ? (values[at] as Values) : (values as Values)));
    const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
    return {
      op: 'update',
      entity,
      fields: names.map((name) => fieldOf(entity, name)),
      rows: objects.map((object) => names.map((name) => object[name])),
      keys,
      ...(version === undefined ? {} : { versions: keys.map(() => version) }),
    };
  }

  remove(entity: EntityModel, ...keys: Row[]): DeleteBatch {
    return { op: 'delete', entity, keys };
  }

  write(batch: WriteBatch) {
    return this.store.write(batch, {});
  }

  fence(owner: FenceOwner, ...batches: WriteBatch[]): Promise<FenceOutcome> {
    return this.participant.fence(owner, batches, {});
  }

  /** Fences that nothing is in the way of. */
  async fenced(owner: FenceOwner, ...batches: WriteBatch[]): Promise<void> {
    expect(await this.fence(owner, ...batches)).toEqual({ missed: [], held: [] });
  }

  apply(owner: FenceOwner, ...batches: WriteBatch[]): Promise<void> {
    return this.participant.apply(owner, batches, {});
  }

  unfence(owner: FenceOwner, ...batches: WriteBatch[]): Promise<void> {
    return this.participant.unfence(owner, batches, {});
  }

  owners(): Promise<readonly FenceOwner[]> {
    return this.participant.owners(1_000, {});
  }

  /** What is shown, by key. */
  async rows(entity: EntityModel, ...names: string[]): Promise<readonly Row[]> {
    const order = entity.ids.map((field) => ({ on: { field }, direction: 'asc', nulls: 'last' }) as const);
    const fields = names.map((name) => fieldOf(entity, name));
    const rows = await this.store.read({ entity, fields, order }, {});
    expect(await this.store.count(entity, undefined, {})).toBe(rows.length);
    return rows;
  }

  /** What the server has, whoever may see it: nodes and relationships of this application, and how many are marked. */
  async stored(): Promise<{ readonly nodes: number; readonly relationships: number; readonly marked: number }> {
    const driver = this.store.native({}) as Driver;
    const text = `
      CALL () { MATCH (n) WHERE any(l IN labels(n) WHERE l STARTS WITH $prefix) RETURN count(n) AS nodes, count(n._f) AS a }
      CALL () { MATCH ()-[r]->() WHERE type(r) STARTS WITH $prefix RETURN count(r) AS relationships, count(r._f) AS b }
      RETURN nodes, relationships, a + b AS marked`;
    const { records } = await driver.executeQuery(text, { prefix: this.opened.labelPrefix });
    const number = (name: string) => Number(records[0]?.get(name));
    return { nodes: number('nodes'), relationships: number('relationships'), marked: number('marked') };
  }

  /** An empty store without fences. */
  async clear(): Promise<void> {
    for (const owner of await this.owners()) await this.participant.unfenceAll(owner, {});
    const driver = this.store.native({}) as Driver;
    await driver.executeQuery('MATCH (n) WHERE any(l IN labels(n) WHERE l STARTS WITH $prefix) DETACH DELETE n', {
      prefix: this.opened.labelPrefix,
    });
  }
}
