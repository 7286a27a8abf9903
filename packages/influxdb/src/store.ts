/** The store: each call goes to the file that knows how, with the layout of its entity. */

import type { InfluxDB } from '@influxdata/influxdb-client';
import {
  type Access,
  type BulkWrite,
  type Capabilities,
  type Condition,
  ConfigurationError,
  type EntityModel,
  type ReadSpec,
  type Rows,
  type SchemaStore,
  type SeriesStore,
  type Store,
  type StoreContext,
  type StoreInspection,
  type TransactionDomain,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import { bulk } from './bulk.js';
import { capabilities } from './capabilities.js';
import { Connection } from './connection.js';
import { influxdbDomain } from './domain.js';
import { type Call, deadlineOf } from './errors.js';
import { type Layout, layoutOf } from './names.js';
import type { InfluxdbOptions } from './options.js';
import { InfluxdbParticipant } from './participant.js';
import { count, read } from './read.js';
import { InfluxdbSchema } from './schema.js';
import { window } from './series.js';
import { stream } from './stream.js';
import { type WriteContext, write } from './write.js';

const BATCH_BYTES = 8 * 1_048_576;

export class InfluxdbStore implements Store {
  readonly capabilities: Capabilities = capabilities;
  readonly domain: TransactionDomain;
  readonly schema: SchemaStore;
  readonly series: SeriesStore;
  readonly participant: InfluxdbParticipant;
  readonly #connection: Connection;
  readonly #layouts = new Map<EntityModel, Layout>();
  readonly #bucketPrefix: string;
  readonly #batchBytes: number;

  constructor(options: InfluxdbOptions) {
    this.#connection = new Connection(options);
    this.#bucketPrefix = options.bucketPrefix ?? '';
    this.#batchBytes = options.batchBytes ?? BATCH_BYTES;
    this.domain = influxdbDomain(options.url);
    this.schema = new InfluxdbSchema(this.#connection, () => [...this.#layouts.values()]);
    this.participant = new InfluxdbParticipant((entity, access) => this.#context('check points', entity, access));
    this.series = {
      window: (spec, access) =>
        window(spec, this.#layout(spec.entity), this.#connection, this.#call('compute windows', spec.entity, access)),
    };
  }

  async open({ entities }: StoreContext): Promise<void> {
    for (const entity of entities) this.#layout(entity);
    await this.#connection.open({ doing: 'open the store', access: {} });
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  read(spec: ReadSpec, access: Access): Promise<Rows> {
    return read(spec, this.#layout(spec.entity), this.#connection, this.#call('read points', spec.entity, access));
  }

  stream(spec: ReadSpec, access: Access & { readonly batchSize: number }): AsyncIterable<Rows> {
    // Whoever takes the pieces takes their time: the limit is on each request.
    const { deadline: _, ...call } = this.#call('read points', spec.entity, access);
    return stream(spec, access.batchSize, this.#layout(spec.entity), this.#connection, call);
  }

  count(entity: EntityModel, where: Condition | undefined, access: Access): Promise<number> {
    return count(entity, where, this.#layout(entity), this.#connection, this.#call('count points', entity, access));
  }

  write(batch: WriteBatch, access: Access): Promise<WriteResult> {
    return write(batch, this.#context(batch.op === 'delete' ? 'delete points' : 'write points', batch.entity, access));
  }

  bulk(given: BulkWrite, access: Access): Promise<number> {
    const doing = given.op === 'deleteWhere' ? 'delete points' : 'change points';
    return bulk(given, this.#context(doing, given.entity, access));
  }

  async inspect(access: Access): Promise<StoreInspection> {
    return {
      product: 'InfluxDB',
      missing: [],
      ...(await this.#connection.inspect({ doing: 'inspect the server', access })),
    };
  }

  /** The official client. */
  native(_access: Access): InfluxDB {
    return this.#connection.client;
  }

  #context(doing: string, entity: EntityModel, access: Access): WriteContext {
    return {
      layout: this.#layout(entity),
      connection: this.#connection,
      batchBytes: this.#batchBytes,
      call: this.#call(doing, entity, access),
    };
  }

  #call(doing: string, entity: EntityModel, access: Access): Call {
    if (access.transaction !== undefined) {
      throw new ConfigurationError(
        `The InfluxDB store has no transactions and was given one of ${access.transaction.domain.name}.`,
        { entity: entity.name, store: entity.store },
      );
    }
    const deadline = deadlineOf(access);
    return { doing: `${doing} of ${entity.name}`, entity, access, ...(deadline !== undefined && { deadline }) };
  }

  #layout(entity: EntityModel): Layout {
    let layout = this.#layouts.get(entity);
    if (layout === undefined) {
      layout = layoutOf(entity, this.#bucketPrefix);
      this.#layouts.set(entity, layout);
    }
    return layout;
  }
}
