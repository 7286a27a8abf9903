/**
 * How to write a store, in one file.
 *
 * A store keeps entities of one or more data models. It gets batches and gives rows; it knows nothing of sessions,
 * identity maps, relations or caches. Required are `capabilities`, `domain`, `open`, `close`, `read`, `write` and
 * `native`. Everything else is optional and goes with a declared capability or an interface below. Rows are arrays
 * aligned with the list of fields in the request; values are in their neutral form (`../model/field.ts`).
 *
 * Rules that the contract suite (`@storeweave/testing`) checks:
 *  - A batch costs a number of round trips that does not grow with its rows.
 *  - A rejected call throws an error of `../errors/errors.ts` with the driver's own as `cause`; nothing of its batch is kept.
 *  - `access.signal` ends the wait for an answer; `access.transaction` is one of this store's own domain.
 *  - A name, pattern or value of the application never becomes part of a statement's text.
 */
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import type { Access, TransactionDomain } from './access.js';
import type { AdoptedEntities } from './adopted.js';
import type { Capabilities } from './capabilities.js';
import type { Causality } from './causality.js';
import type { CommitCoordinator, CommitParticipant } from './commit.js';
import type { Condition } from './condition.js';
import type { DocumentStore } from './documents.js';
import type { GraphStore } from './graph.js';
import type { StoreInspection } from './inspection.js';
import type { AggregateSpec, ReadSpec, Rows } from './read.js';
import type { RelationalStore } from './relational.js';
import type { SchemaStore } from './schema.js';
import type { SeriesStore } from './series.js';
import type { BulkWrite, WriteBatch, WriteResult } from './write.js';

export type { Access, Transaction, TransactionDomain, TransactionOptions } from './access.js';

/** What a store is given at `open()`. */
export interface StoreContext {
  /** Logical name that the configuration binds this store to. */
  readonly name: string;
  /** The entities that live here, links included, frozen. Entities elsewhere are reachable through their relations. */
  readonly entities: readonly EntityModel[];
  /**
   * True where units of work may put fences on this store's rows: reads then pass over placeholders, and a write that meets
   * a fence throws `FencedError` and leaves nothing.
   */
  readonly fenced?: boolean;
}

/** The SPI that every store implements. */
export interface Store {
  readonly capabilities: Capabilities;
  readonly domain: TransactionDomain;

  /**
   * Describes those of these classes that its own library's decorators describe already. Asked before the model is
   * compiled, and before `open`, with the classes that live here.
   */
  adopt?(classes: readonly EntityClass[]): Promise<AdoptedEntities>;

  /** Connects and checks. A store bound to several logical names is opened once for each. */
  open(context: StoreContext): Promise<void>;
  /** Ends every connection. Idempotent. */
  close(): Promise<void>;

  /** All rows of a finite answer. */
  read(spec: ReadSpec, access: Access): Promise<Rows>;
  /** The same in pieces, in constant memory; the core pages by key where this is absent. */
  stream?(spec: ReadSpec, access: Access & { readonly batchSize: number }): AsyncIterable<Rows>;
  count?(entity: EntityModel, where: Condition | undefined, access: Access): Promise<number>;
  /** Grouping, for relational and document entities. */
  aggregate?(spec: AggregateSpec, access: Access): Promise<Rows>;

  write(batch: WriteBatch, access: Access): Promise<WriteResult>;
  /** With `bulkWrites`. Returns the number of rows changed. */
  bulk?(write: BulkWrite, access: Access): Promise<number>;

  /** The driver's own object: enlisted in the transaction where one is given, the client or pool otherwise. */
  native(access: Access): unknown;

  /** With `sequences`: the next id made for this entity is greater than every stored one. For rows that came with ids. */
  advanceSequences?(entity: EntityModel, access: Access): Promise<void>;

  /** Asks the server about itself, in one round trip where it can: the time that it takes is shown as the latency. */
  inspect?(access: Access): Promise<StoreInspection>;

  readonly schema?: SchemaStore;
  readonly graph?: GraphStore;
  readonly series?: SeriesStore;
  readonly documents?: DocumentStore;
  readonly relational?: RelationalStore;
  readonly participant?: CommitParticipant;
  readonly coordinator?: CommitCoordinator;
  readonly causality?: Causality;
}
