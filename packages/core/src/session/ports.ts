/**
 * What the reading and writing rooms (repository, query, populate) may ask of the unit of work, and no more.
 * Outside a unit of work the same port is served by a context that lives for one call.
 */
import type { AuditPolicies } from '../audit/policy.js';
import type { RowChange } from '../audit/row-change.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Access, Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';

/** Options that a caller may give to any single read or write. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly label?: string;
}

/** Options of `access`. */
export interface AccessOptions extends CallOptions {
  /**
   * The call will write, past the entities that the unit of work tracks (bulk writes, patches, SQL). A unit of work that
   * may not write to this domain as well as to the ones before refuses here, before anything is written. `kept`: batches
   * of rows by key, each told to `keep`, so that a commit over several databases can write them after its decision.
   */
  readonly writes?: boolean | 'kept';
}

export interface WorkContext {
  readonly domain: DomainModel;
  store(entity: EntityModel): Store;
  /** Whether one store has both and can join them; an entity may still be on its way to the store of its name. */
  areTogether(a: EntityModel, b: EntityModel): boolean;
  /**
   * The circumstances of a call on this entity's store: joins (or begins) the transaction of its domain, after writing
   * pending changes of the entities that the call would see (`reads`), where the unit of work flushes by itself.
   */
  access(entity: EntityModel, reads: readonly EntityModel[], options: AccessOptions): Promise<Access>;
  /**
   * Rows aligned with `entity.fields` become instances. An entity already in the identity map is returned as it is,
   * its changes kept; `refresh` overwrites it with the row. Relation containers are attached, keys of references known.
   */
  materialize(entity: EntityModel, rows: readonly Row[], options?: { readonly refresh?: boolean }): object[];
  /** The instance with this identity, if it is in the identity map (removed ones are not). */
  known(entity: EntityModel, key: Row): object | undefined;
  /** True for an entity that is to be deleted by this unit of work: finds leave it out. */
  isRemoved(instance: object): boolean;
  /**
   * The same transaction and pending changes, but instances are its own and forgotten with it. For streams: one for each
   * chunk, so that a million rows pass through without a million entries in the identity map.
   */
  detached(): WorkContext;
  /**
   * Runs several calls on this entity's store as one: inside the running unit of work, or outside of one in a
   * transaction of their own that commits when `run` resolves (where the store has none: one after the other).
   * `run` gets the context to use for its calls. For bulk writes on stores without them, and chunks of an insert.
   */
  atomically<R>(entity: EntityModel, options: CallOptions, run: (work: WorkContext) => Promise<R>): Promise<R>;
  /** Notes a batch that is written past the entities of a unit of work. False where it is not to be sent: the commit does. */
  keep?(entity: EntityModel, batch: WriteBatch): boolean;
  /** Whether changes by filter are to be made by row and told to `keep`. */
  changesByRow?(entity: EntityModel): boolean;
  /** What only a running unit of work has; absent outside of one. */
  readonly unit?: UnitPort;
  /** Absent where nothing is audited. */
  readonly audit?: AuditPort;
}

/** What calls that pass the unit of work by need to have their changes on record. */
export interface AuditPort {
  readonly policies: AuditPolicies;
  /** Model of the records. */
  readonly log: EntityModel;
  /** Runs calls inside the running unit of work, or outside of one in a small one of their own, which may be run again. */
  inUnit<R>(options: CallOptions, run: (unit: AuditedUnit) => Promise<R>): Promise<R>;
}

/** A unit of work whose calls write their records with their changes. */
export interface AuditedUnit {
  /** Reads through this are part of a write, and are not on record themselves. */
  readonly work: WorkContext;
  /** Rows of the log for changed rows of an entity. */
  records(entity: EntityModel, changes: readonly RowChange[]): Row[];
}

/** The part of a unit of work behind `create`, `add` and `remove` of a repository. */
export interface UnitPort {
  create(entity: EntityModel, data: object): object;
  add(entities: readonly object[]): void;
  remove(entities: readonly object[]): void;
}

/** Gives the context of the running unit of work, or one for a single call. */
export interface ContextSource {
  current(): WorkContext;
  /** Runs a read that sees only whole units of work; absent where reads cannot ask for that. */
  settled?<R>(read: (work: WorkContext) => Promise<R>, options: CallOptions): Promise<R>;
}
