/**
 * The closed set of reasons. A store maps what its driver throws to one of these; the core throws the rest.
 * Adding one means adding a row to `docs/errors.md`, or the test beside it fails.
 */
import { type ErrorOptions, StoreweaveError } from './storeweave-error.js';

/** One mistake in the metadata: where it is and what to do. */
export interface MetadataProblem {
  readonly entity: string;
  readonly property?: string;
  readonly message: string;
}

/** The entity classes do not make a valid model. All mistakes are reported together. */
export class MetadataError extends StoreweaveError {
  readonly code = 'METADATA_INVALID';
  constructor(readonly problems: readonly MetadataProblem[]) {
    super(
      `${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'} in the entity classes:\n${problems
        .map((p) => `  - ${p.entity}${p.property === undefined ? '' : `.${p.property}`}: ${p.message}`)
        .join('\n')}`,
    );
  }
}

/** Options given to Storeweave or a store contradict each other or miss something. */
export class ConfigurationError extends StoreweaveError {
  readonly code = 'CONFIGURATION_INVALID';
}

/** A model asks for something that its store has not declared it can do. Thrown at `open()` where it can be known. */
export class CapabilityError extends StoreweaveError {
  readonly code = 'CAPABILITY_MISSING';
}

/** A filter, order, selection, cursor or populate path is not valid. `null` and `undefined` in a filter land here. */
export class InvalidQueryError extends StoreweaveError {
  readonly code = 'QUERY_INVALID';
}

/** A value does not fit the type of its property. */
export class InvalidValueError extends StoreweaveError {
  readonly code = 'VALUE_INVALID';
}

/** Something was done that the state of the unit of work or entity does not allow. */
export class InvalidStateError extends StoreweaveError {
  readonly code = 'STATE_INVALID';
}

/** `findOneOrFail`, `findById` with `orFail`, or a reference led to nothing. */
export class EntityNotFoundError extends StoreweaveError {
  readonly code = 'ENTITY_NOT_FOUND';
}

/** A relation was read before it was loaded. */
export class RelationNotLoadedError extends StoreweaveError {
  readonly code = 'RELATION_NOT_LOADED';
}

/** The row was changed or deleted by someone else since it was read. Nothing of the unit of work was written. */
export class OptimisticLockError extends StoreweaveError {
  readonly code = 'OPTIMISTIC_LOCK';
}

/** A unique value is taken. */
export class UniqueViolationError extends StoreweaveError {
  readonly code = 'UNIQUE_VIOLATION';
}

/** A referenced row is missing, or a row that is referenced was to be deleted. */
export class ForeignKeyViolationError extends StoreweaveError {
  readonly code = 'FOREIGN_KEY_VIOLATION';
}

/** A required property has no value. */
export class NotNullViolationError extends StoreweaveError {
  readonly code = 'NOT_NULL_VIOLATION';
}

/** A check constraint or validator of the store refused the value. */
export class CheckViolationError extends StoreweaveError {
  readonly code = 'CHECK_VIOLATION';
}

/** The store could not serialize concurrent transactions. Retried by `transaction()`. */
export class SerializationError extends StoreweaveError {
  readonly code = 'SERIALIZATION_FAILURE';
  override readonly isRetryable = true;
}

/** The store broke a deadlock by ending this transaction. Retried by `transaction()`. */
export class DeadlockError extends StoreweaveError {
  readonly code = 'DEADLOCK';
  override readonly isRetryable = true;
}

/**
 * A row is held by another unit of work that is between its fences and their end. Whoever catches it in the core settles
 * that unit of work by its coordinator and tries again; the application sees it where the attempts have run out.
 */
export class FencedError extends StoreweaveError {
  readonly code = 'FENCED';
  override readonly isRetryable = true;
  constructor(
    message: string,
    /** The units of work that hold the rows. */
    readonly owners: readonly { readonly unitOfWork: string; readonly coordinator: string }[],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The entity is at this moment being switched from one store to another (`moving` of `open()`). `transaction()` and
 * `commit()` wait for the end of that and do the unit of work again; the application sees it where they may not.
 */
export class EntityMovingError extends StoreweaveError {
  readonly code = 'ENTITY_MOVING';
  override readonly isRetryable = true;
  constructor(
    message: string,
    /** Resolves when doing it again is worth it; rejects when the signal comes first. */
    readonly settled: (signal?: AbortSignal) => Promise<void>,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A time limit given by the caller or the configuration passed. */
export class TimeoutError extends StoreweaveError {
  readonly code = 'TIMEOUT';
}

/** The caller's `AbortSignal` ended the operation. */
export class AbortedError extends StoreweaveError {
  readonly code = 'ABORTED';
}

/** A wait for the store's connection or session passed its limit; the message names who holds it. */
export class StoreBusyError extends StoreweaveError {
  readonly code = 'STORE_BUSY';
}

/** The store cannot be reached, or the connection was lost. Nothing is known to be written. */
export class ConnectionError extends StoreweaveError {
  readonly code = 'CONNECTION_FAILED';
  override readonly isRetryable = true;
}

/** The connection was lost while COMMIT was under way: it may or may not have taken effect. Never retried blindly. */
export class CommitUnknownError extends StoreweaveError {
  readonly code = 'COMMIT_UNKNOWN';
}

/** With atomicity 'best-effort': some transaction domains of a unit of work were committed, others were not. */
export class PartialCommitError extends StoreweaveError {
  readonly code = 'COMMIT_PARTIAL';
  constructor(
    message: string,
    /** Names of the domains that were committed. */
    readonly committed: readonly string[],
    /** Names of the domains that were not, or of which it is not known. */
    readonly notCommitted: readonly string[],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A hook of the application refused the commit; what it threw is the `cause`. Nothing of the unit of work was kept. */
export class CommitRefusedError extends StoreweaveError {
  readonly code = 'COMMIT_REFUSED';
  constructor(
    message: string,
    /** Name of the hook, or its position in the list. */
    readonly hook: string,
    /** Stage of the commit at which it refused. */
    readonly stage: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The store accepts no writes at present. */
export class ReadOnlyError extends StoreweaveError {
  readonly code = 'READ_ONLY';
}

/** The store has no room left. */
export class DiskFullError extends StoreweaveError {
  readonly code = 'DISK_FULL';
}

/** The data folder is in use by another process. */
export class FolderLockedError extends StoreweaveError {
  readonly code = 'FOLDER_LOCKED';
}

/** The data folder cannot be opened: it is damaged or was made by another version. */
export class FolderDamagedError extends StoreweaveError {
  readonly code = 'FOLDER_DAMAGED';
}

/** The schema of the store does not match the metadata, or a change of it would lose data. */
export class SchemaError extends StoreweaveError {
  readonly code = 'SCHEMA_MISMATCH';
}

/** Anything else that a store reports; `cause` has the driver's own error. */
export class StoreError extends StoreweaveError {
  readonly code = 'STORE_FAILED';
}

export type { ErrorOptions };
