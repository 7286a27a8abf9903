/**
 * What the server reports, as errors of Storeweave. SQLSTATE decides the class; the table and columns that the server
 * names are turned back into entity and property, so that nobody has to know how a class became a table.
 */
import {
  CheckViolationError,
  ConnectionError,
  DeadlockError,
  DiskFullError,
  type EntityModel,
  type ErrorOptions,
  ForeignKeyViolationError,
  InvalidQueryError,
  InvalidStateError,
  InvalidValueError,
  NotNullViolationError,
  ReadOnlyError,
  SchemaError,
  SerializationError,
  StoreError,
  StoreweaveError,
  TimeoutError,
  UniqueViolationError,
} from '@storeweave/core';
import type { ErrorSubjects } from './error-subjects.js';

/** The parts of a server's error that are read; every one may be missing. */
interface ServerError {
  readonly code?: string;
  readonly message?: string;
  readonly detail?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

/** Codes of Node and of the driver for a connection that failed. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOENT',
]);
const lostConnection =
  /connection (?:was )?terminated|not queryable|connection error|client was closed|socket|server closed the connection/i;

/** True where the connection is gone, and with it whatever was not committed. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  const { code, message } = error as ServerError;
  if (code === undefined) return lostConnection.test(message ?? '');
  // 25P03: the server ended the session, not only the transaction.
  return (
    networkCodes.has(code) ||
    code.startsWith('08') ||
    code.startsWith('57P') ||
    code === '25P03' ||
    code === 'XX_CLOSED'
  );
}

/** Node tries several addresses of a host, and then says what went wrong with each but nothing as a whole. */
function messageOf(error: unknown): string {
  const { message, errors } = error as { readonly message?: string; readonly errors?: readonly unknown[] };
  if (message === undefined) return String(error);
  return message === '' && errors !== undefined ? errors.map(messageOf).join('; ') : message;
}

/** A server error as one of ours. Errors that are ours already pass through. */
export function mapError(error: unknown, subjects: ErrorSubjects, about?: EntityModel): StoreweaveError {
  if (error instanceof StoreweaveError) return error;
  const server = error as ServerError;
  const message = messageOf(error);
  const subject = subjects.find(server, about);
  const options: ErrorOptions = {
    ...subject.of,
    cause: error,
    ...(server.constraint === undefined ? {} : { constraint: server.constraint }),
  };
  const by = server.constraint === undefined ? '' : ` (constraint "${server.constraint}")`;
  const code = server.code ?? '';
  switch (code) {
    case '23505':
      return new UniqueViolationError(
        `${subject.label}${subject.value} is taken${by}. Use another value, or upsert().`,
        options,
      );
    case '23001':
    case '23503':
      return new ForeignKeyViolationError(
        `${subject.label}${subject.value} breaks a reference${by}: ${server.detail ?? message} Save the referenced entity first, or remove what refers to it.`,
        options,
      );
    case '23502':
      return new NotNullViolationError(
        `${subject.label} must have a value, and none was given. Set it, or declare the property nullable.`,
        options,
      );
    case '23514':
    case '23P01':
    case '23000':
      return new CheckViolationError(
        `${subject.label}: the value was refused by the database${by}: ${message}.`,
        options,
      );
    case '40001':
    case '40P02':
      return new SerializationError(
        `A concurrent transaction came first: ${message}. Run the unit of work again; transaction() does so by itself.`,
        options,
      );
    case '40P01':
      return new DeadlockError(
        `The database ended this transaction to break a deadlock. Run the unit of work again; transaction() does so by itself.`,
        options,
      );
    case '0A000':
      if (/cached plan/.test(message)) {
        return new SerializationError(
          'The schema was changed while this transaction ran. Run the unit of work again.',
          options,
        );
      }
      return new StoreError(`The database does not support what was asked: ${message}.`, options);
    case '57014':
    case '25P03':
    case '25P04':
      return new TimeoutError(
        `The database ended the statement or transaction: ${message}. Raise the time limit, or ask for less at a time.`,
        options,
      );
    case '55P03':
      return new TimeoutError(
        `A lock was not to be had in time: ${message}. Another transaction holds the row; try again later.`,
        options,
      );
    case '25006':
      return new ReadOnlyError(
        `The database accepts no writes here: ${message}. The transaction is read-only, or the server is a replica.`,
        options,
      );
    case '25P02':
      return new InvalidStateError(
        'An earlier statement of this transaction failed, so it can only be rolled back (to a savepoint).',
        options,
      );
    case '42P01':
    case '42703':
    case '42704':
    case '3F000':
      return new SchemaError(
        `The schema of the database does not match the entities: ${message}. Open with schema: 'apply', or run weave.schema.apply().`,
        options,
      );
    case '22025':
    case '2201B':
      return new InvalidQueryError(
        `The pattern is not valid: ${message}. Backslash escapes the character after it and cannot be the last.`,
        options,
      );
    case '53300':
      return new ConnectionError(
        `The database has no connection left: ${message}. Lower the pool size, or raise max_connections.`,
        options,
      );
  }
  if (code === '53100' || /could not extend file|no space left/i.test(message)) {
    return new DiskFullError(`The database has no room left: ${message}. Free some space, then try again.`, options);
  }
  if (isConnectionLoss(error)) {
    return new ConnectionError(
      `The connection to the database failed: ${message}. Nothing of an open transaction is written.`,
      options,
    );
  }
  if (code.startsWith('42') && code !== '42501') {
    return new InvalidQueryError(`The database does not understand the statement: ${message}.`, options);
  }
  if (code.startsWith('22'))
    return new InvalidValueError(`${subject.label}: a value does not fit: ${message}.`, options);
  if (code.startsWith('28') || code === '3D000') {
    return new ConnectionError(
      `The database refused the connection: ${message}. Check user, password and database name.`,
      options,
    );
  }
  return new StoreError(`The database reported: ${message}${code === '' ? '' : ` (${code})`}.`, options);
}
