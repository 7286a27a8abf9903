/**
 * The root of every error that Storeweave throws. An error teaches: it names what was asked, of which entity, key and
 * store, what is wrong and what to do. `code` is stable and documented in `docs/errors.md`; a test binds the two.
 * What a driver threw is kept as `cause`.
 */

/** What an error is about; every field is optional because not every error is about an entity. */
export interface ErrorSubject {
  /** Name of the entity class. */
  readonly entity?: string;
  /** Property of the entity, as a dotted path. */
  readonly property?: string;
  /** Identity of the entity, as the application gave it. */
  readonly key?: unknown;
  /** Logical name of the store. */
  readonly store?: string;
  /** Name of the constraint or index that refused, as the store knows it. */
  readonly constraint?: string;
}

/** Options of every error: its subject, what caused it. */
export interface ErrorOptions extends ErrorSubject {
  readonly cause?: unknown;
}

/** Base class of all errors of Storeweave. */
export abstract class StoreweaveError extends Error {
  /** Stable code, in upper snake case. */
  abstract readonly code: string;
  /** True where doing the same unit of work again may succeed without any other change. */
  readonly isRetryable: boolean = false;
  readonly entity?: string;
  readonly property?: string;
  readonly key?: unknown;
  readonly store?: string;
  readonly constraint?: string;

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    if (options.entity !== undefined) this.entity = options.entity;
    if (options.property !== undefined) this.property = options.property;
    if (options.key !== undefined) this.key = options.key;
    if (options.store !== undefined) this.store = options.store;
    if (options.constraint !== undefined) this.constraint = options.constraint;
  }
}
