/** The graph store: each call becomes a statement or a few, which the domain runs where the call belongs. */
import {
  type Access,
  type BulkWrite,
  type Causality,
  type Condition,
  ConfigurationError,
  type EntityModel,
  type GraphStore,
  type ReadSpec,
  type Row,
  type Rows,
  type SchemaStore,
  type Store,
  type StoreContext,
  type StoreInspection,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import type { Driver, Transaction } from 'neo4j-driver';
import { bulkWrite } from './bulk.js';
import { capabilities } from './capabilities.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { Neo4jDomain } from './domain.js';
import { heedingFences } from './fences/heed.js';
import { refuseMarks } from './fences/marks.js';
import { Neo4jParticipant } from './fences/participant.js';
import { Neo4jGraph } from './graph/graph.js';
import { GraphNames } from './names.js';
import { countCypher, identifyCypher, selectCypher } from './read.js';
import { rulesFor } from './schema/rules.js';
import { Neo4jSchema } from './schema/schema.js';
import { decodeRows } from './values.js';
import { writeBatch } from './write/write.js';

export interface StoreOptions extends ConnectionOptions {
  readonly labelPrefix?: string;
}

export class Neo4jStore implements Store {
  readonly capabilities = capabilities;
  readonly domain: Neo4jDomain;
  readonly graph: GraphStore;
  readonly schema: SchemaStore;
  /** Bookmarks of what was committed last, as one text. */
  readonly causality: Causality = {
    token: () => this.#connection.token(),
    observe: (token) => this.#connection.observe(token),
  };
  readonly participant: Neo4jParticipant;
  readonly #names: GraphNames;
  readonly #connection: Connection;
  #isOpen = 0;

  constructor(options: StoreOptions) {
    this.#names = new GraphNames(options.labelPrefix ?? '');
    this.#connection = new Connection(options, this.#names);
    this.domain = new Neo4jDomain(
      options.database === undefined ? 'neo4j' : `neo4j (${options.database})`,
      this.#connection,
      this.#names,
    );
    this.graph = new Neo4jGraph(this.#names, this.domain);
    this.schema = new Neo4jSchema(this.#names, this.domain);
    this.participant = new Neo4jParticipant(this.#names, this.domain);
  }

  /** Version of the server, as it says it. Empty before `open`. */
  get version(): string {
    return this.#connection.version;
  }

  async open(context: StoreContext): Promise<void> {
    for (const entity of context.entities) {
      if (entity.model === 'graph') continue;
      throw new ConfigurationError(
        `Store "${context.name}" keeps graph entities, and ${entity.name} is a ${entity.model} entity. Bind its store to one that does.`,
        { entity: entity.name, store: context.name },
      );
    }
    if (context.fenced === true) refuseMarks(context.entities);
    this.#names.add(context.entities, context.fenced);
    rulesFor(this.#names);
    await this.#connection.open();
    this.#isOpen++;
  }

  async close(): Promise<void> {
    if (this.#isOpen === 0) return;
    this.#isOpen--;
    if (this.#isOpen === 0) await this.domain.close();
    await this.#connection.close();
  }

  async read(spec: ReadSpec, access: Access): Promise<Rows> {
    if (spec.lock === undefined) {
      return this.#rows(spec, await this.domain.run(selectCypher(spec, this.#names), access, 'READ', spec.entity));
    }
    // Found, locked, and then read again: what was seen before the lock may have changed.
    return this.domain.atomically(access, 'WRITE', async (runner) => {
      const [ids] = await runner.run(identifyCypher(spec, this.#names), spec.entity);
      const { lock, limit, offset, ...rest } = spec;
      return this.#rows(spec, await runner.run(selectCypher(rest, this.#names, ids as string[]), spec.entity));
    });
  }

  async count(entity: EntityModel, where: Condition | undefined, access: Access): Promise<number> {
    const [count] = await this.domain.run(countCypher(entity, where, this.#names), access, 'READ', entity);
    return Number(count);
  }

  write(batch: WriteBatch, access: Access): Promise<WriteResult> {
    return heedingFences(batch, this.#names, this.domain, access, () =>
      writeBatch(batch, this.#names, this.domain, access),
    );
  }

  bulk(write: BulkWrite, access: Access): Promise<number> {
    return heedingFences(write, this.#names, this.domain, access, () =>
      bulkWrite(write, this.#names, this.domain, access),
    );
  }

  async inspect(access: Access): Promise<StoreInspection> {
    const text =
      'CALL dbms.components() YIELD versions, edition RETURN [versions[0], edition, datetime.realtime().epochMillis]';
    const [answer] = await this.domain.run({ text, values: {} }, access, 'READ');
    const [version, edition, clock] = answer as readonly unknown[];
    const missing =
      edition === 'community'
        ? ['constraints on absent values, which the enterprise edition has: the store checks instead']
        : [];
    return { product: 'Neo4j', version: `${String(version)} ${String(edition)}`, clockMs: Number(clock), missing };
  }

  /** The `Driver`; inside a unit of work the driver's `Transaction`, which is not to be ended by the application. */
  native(access: Access): Driver | Transaction {
    return access.transaction === undefined ? this.#connection.driver : this.domain.own(access).native;
  }

  #rows(spec: ReadSpec, answer: readonly unknown[]): Rows {
    return decodeRows(spec.fields, answer as Row[]);
  }
}
