/**
 * What the driver throws, as errors of Storeweave. Codes and labels decide the class; the index that refused a value is
 * turned back into entity and property, so that nobody has to know how a class became a collection.
 */
import {
  CapabilityError,
  CheckViolationError,
  ConnectionError,
  DiskFullError,
  type EntityModel,
  type ErrorOptions,
  InvalidQueryError,
  InvalidStateError,
  InvalidValueError,
  NotNullViolationError,
  SchemaError,
  SerializationError,
  StoreBusyError,
  StoreError,
  StoreweaveError,
  TimeoutError,
  UniqueViolationError,
} from '@storeweave/core';
import {
  BSON,
  type Document,
  MongoClientClosedError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  type MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoTransactionError,
} from 'mongodb';

/** The parts of an error that are read, wherever the driver has put them. */
interface Report {
  readonly code?: number;
  readonly message: string;
  readonly index?: string;
  readonly details?: Document;
}

const INVALID_OPTIONS = 72;
const duplicate = new Set([11000, 11001]);
const conflicts = new Set([24, 112, 225, 239, 246, 251]);
const timeouts = new Set([50, 202, 262, 290]);
/** Elections, shutdowns and unreachable hosts: the driver or the caller finds another primary. */
const lost = new Set([6, 7, 89, 91, 133, 189, 9001, 10107, 11600, 11602, 13388, 13435, 13436]);
// The last ones: $setField and $concatArrays on what is no object or array.
const refusedValues = new Set([14, 15, 28, 52, 55, 56, 57, 10334, 17280, 17419, 17420, 28664, 4161105, 4161107]);
const sockets = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);
const refusedQueries = new Set([2, 9, 40, 168, 51091, 51108]);
const schemaCodes = new Set([26, 67, 85, 86]);
const denied = new Set([13, 18, 8000]);

export function hasLabel(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

/** A driver's error as one of ours. Errors that are ours already pass through. */
export function mapError(error: unknown, entity?: EntityModel): StoreweaveError {
  if (error instanceof StoreweaveError) return error;
  const { code, message, index, details } = reportOf(error);
  const options: ErrorOptions = {
    cause: error,
    ...(entity === undefined ? {} : { entity: entity.name, store: entity.store }),
  };
  const what = entity === undefined ? 'MongoDB' : entity.name;
  if (code !== undefined && duplicate.has(code)) return taken(message, index, entity, options);
  if (code === 121) return invalidDocument(details, what, options);
  if (code !== undefined && conflicts.has(code)) {
    return new SerializationError(
      `A concurrent transaction came first: ${message}. Run the unit of work again; transaction() does so by itself.`,
      options,
    );
  }
  if ((error as Error).name === 'MongoWaitQueueTimeoutError') {
    return new StoreBusyError(
      `No connection became free in time: ${message}. Keep transactions short, or raise poolSize.`,
      options,
    );
  }
  if (error instanceof MongoOperationTimeoutError || (code !== undefined && timeouts.has(code))) {
    return new TimeoutError(`MongoDB ended the call: ${message}. Raise the time limit, or ask for less.`, options);
  }
  if (closed(error)) {
    return new InvalidStateError(`The store is closed or was never opened: ${message}.`, options);
  }
  if (isConnectionLoss(error)) {
    return new ConnectionError(
      `MongoDB cannot be reached: ${message}. Nothing of an open transaction is written.`,
      options,
    );
  }
  if (isBehind(error)) {
    return new SerializationError(
      `MongoDB's time is behind what was seen of it, as after a restart or a restore, and nothing was done: ${message}. Run the unit of work again.`,
      options,
    );
  }
  if (hasLabel(error, 'TransientTransactionError')) {
    return new SerializationError(`MongoDB ended the transaction: ${message}. Run the unit of work again.`, options);
  }
  if (error instanceof BSON.BSONError || error instanceof MongoInvalidArgumentError) {
    return new InvalidValueError(`${what}: a value cannot be kept as BSON: ${message}.`, options);
  }
  return byCode(code, message, what, options);
}

/** The server refused to wait for a time that it has not reached; then it has done nothing. */
export function isBehind(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === INVALID_OPTIONS && /afterClusterTime/.test(String(message));
}

function byCode(code: number | undefined, message: string, what: string, options: ErrorOptions): StoreweaveError {
  if (code === undefined) return new StoreError(`MongoDB reported: ${message}.`, options);
  if (refusedValues.has(code)) {
    return new InvalidValueError(`${what}: MongoDB refused a value: ${message}.`, options);
  }
  if (refusedQueries.has(code)) {
    return new InvalidQueryError(`${what}: MongoDB does not understand what was asked: ${message}.`, options);
  }
  if (schemaCodes.has(code)) {
    return new SchemaError(
      `The collections do not match the entities: ${message}. Look at weave.schema.plan().`,
      options,
    );
  }
  if (denied.has(code)) {
    return new ConnectionError(`MongoDB refused access: ${message}. Check user, password and roles.`, options);
  }
  if (code === 66) {
    return new InvalidStateError(`${what}: the identity of a document cannot be changed: ${message}.`, options);
  }
  if (code === 20 || code === 263) {
    return new CapabilityError(`MongoDB cannot do this here: ${message}.`, options);
  }
  if (code === 14031)
    return new DiskFullError(`MongoDB has no room left: ${message}. Make some and try again.`, options);
  return new StoreError(`MongoDB reported: ${message} (${code}).`, options);
}

/** True where the connection is gone, and with it what was not committed. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  // A socket that ends while it is written to fails with Node's own error.
  if (typeof (error as { code?: unknown }).code === 'string') return sockets.has((error as { code: string }).code);
  const { code } = reportOf(error);
  return code !== undefined && lost.has(code);
}

function closed(error: unknown): boolean {
  return (
    error instanceof MongoClientClosedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTransactionError
  );
}

function reportOf(error: unknown): Report {
  const given = error as Document | null;
  const first = firstWriteError(given?.writeErrors) ?? {};
  const response = (given?.errorResponse ?? {}) as Document;
  const message = String(first.errmsg ?? first.message ?? given?.message ?? error);
  const code: unknown = first.code ?? given?.code ?? response.code ?? codeOf(given?.cause);
  const details: unknown = first.errInfo ?? given?.errInfo ?? response.errInfo ?? first.details;
  const index = indexNamed(message);
  return {
    message: message.replace(/\.$/, ''),
    ...(typeof code === 'number' ? { code } : {}),
    ...(index === undefined ? {} : { index }),
    ...(typeof details === 'object' && details !== null ? { details } : {}),
  };
}

/** The index that refused a value, in a server's message. */
export function indexNamed(message: string): string | undefined {
  return /index: (\S+?)(?:_\$)? dup key/.exec(message)?.[1]?.replace(/^.*\$/, '');
}

/** True where a unique index refused a value. */
export function isDuplicate({ code }: MongoServerError): boolean {
  return typeof code === 'number' && duplicate.has(code);
}

function codeOf(cause: unknown): unknown {
  return cause instanceof MongoError ? cause.code : undefined;
}

function firstWriteError(errors: unknown): Document | undefined {
  const first: unknown = errors instanceof Map ? [...errors.values()][0] : Array.isArray(errors) ? errors[0] : errors;
  if (typeof first !== 'object' || first === null) return undefined;
  const { err } = first as { err?: unknown };
  return typeof err === 'object' && err !== null ? (err as Document) : (first as Document);
}

function taken(message: string, index: string | undefined, entity: EntityModel | undefined, options: ErrorOptions) {
  const fields = index === '_id_' ? entity?.ids : entity?.indexes.find(({ name }) => name === index)?.fields;
  const property = fields?.map(({ name }) => name).join();
  const value = /dup key: (.*)$/s.exec(message)?.[1];
  const subject = entity === undefined ? 'A value' : `${entity.name}${property === undefined ? '' : `.${property}`}`;
  return new UniqueViolationError(
    `${subject}${value === undefined ? '' : ` ${value.slice(0, 200)}`} is taken${index === undefined ? '' : ` (index "${index}")`}. Use another value, or upsert().`,
    {
      ...options,
      ...(property === undefined ? {} : { property }),
      ...(index === undefined ? {} : { constraint: index }),
    },
  );
}

/** The validator's own account of what it did not like, where the server gives one. */
function invalidDocument(details: Document | undefined, what: string, options: ErrorOptions): StoreweaveError {
  const rules = rulesIn(details?.details as Document | undefined);
  const missing = rules?.find(({ missingProperties }) => missingProperties !== undefined)?.missingProperties;
  if (Array.isArray(missing) && missing.length > 0) {
    const property = missing.join();
    return new NotNullViolationError(`${what}.${property} must have a value, and none was given.`, {
      ...options,
      property,
    });
  }
  const wrong = rules?.find(
    ({ propertiesNotSatisfied }) => propertiesNotSatisfied !== undefined,
  )?.propertiesNotSatisfied;
  const names = Array.isArray(wrong) ? wrong.map((each: Document) => String(each.propertyName)) : [];
  const property = names.length === 0 ? undefined : names.join();
  return new CheckViolationError(
    `${what}${property === undefined ? '' : `.${property}`}: the collection's validator refused the document. Its rules follow the entity: weave.schema.plan() shows where they differ.`,
    { ...options, ...(property === undefined ? {} : { property }) },
  );
}

/** What the schema says, also where it is one of several ways to be valid. */
function rulesIn(details: Document | undefined): Document[] | undefined {
  const own = details?.schemaRulesNotSatisfied as Document[] | undefined;
  if (own !== undefined) return own;
  const clauses = details?.clausesNotSatisfied as Document[] | undefined;
  return clauses?.map((clause) => rulesIn(clause.details as Document | undefined)).find((rules) => rules !== undefined);
}

/** True for a server that does not know a command, or not with the options that came with it. */
export function refusedCommand(error: unknown): boolean {
  const { code, message } = reportOf(error);
  const cause = String((error as { cause?: { message?: unknown } }).cause?.message ?? '');
  return code === 59 || code === 40415 || /is an unknown field|no such command/.test(`${message} ${cause}`);
}
