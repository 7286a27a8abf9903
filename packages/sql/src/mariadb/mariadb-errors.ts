/** What MariaDB reports, as errors of Storeweave: the number decides the class, the message names table and constraint. */
import {
  CheckViolationError,
  ConnectionError,
  DeadlockError,
  DiskFullError,
  type EntityModel,
  type ErrorOptions,
  ForeignKeyViolationError,
  InvalidQueryError,
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
import type { ErrorSubjects } from '../error-subjects.js';

interface ServerError {
  readonly errno?: number;
  readonly code?: string;
  readonly message?: string;
  readonly sqlMessage?: string;
  readonly sqlState?: string;
  readonly fatal?: boolean;
}

const connectionCodes =
  /^(?:PROTOCOL_CONNECTION_LOST|PROTOCOL_SEQUENCE_TIMEOUT|ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOENT)/;
/** Shutdown, gone away, lost, killed; too many connections; refused. */
const connectionNumbers = new Set([1053, 1077, 1927, 2002, 2003, 2006, 2013, 1040, 1203, 1226, 1044, 1045, 1698, 1049]);

/** True where the connection is gone, and with it whatever was not committed. */
export function isMariadbLoss(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  const { errno = 0, code = '', message = '', fatal } = error as ServerError;
  // A packet that is too large ends the connection, too.
  if (fatal === true || connectionCodes.test(code) || errno === 1153) return true;
  if (connectionNumbers.has(errno) && errno !== 1049) return true;
  return /connection is in closed state|closed connection|Pool is closed/i.test(message);
}

export function mapMariadbError(error: unknown, subjects: ErrorSubjects, about?: EntityModel): StoreweaveError {
  if (error instanceof StoreweaveError) return error;
  const { errno = 0, sqlState = '', ...given } = error as ServerError;
  const message = given.sqlMessage ?? given.message ?? String(error);
  const constraint = constraintOf(errno, message);
  const column = /^(?:Column|Field) '(.+?)'/.exec(message)?.[1];
  const subject = subjects.find(
    {
      ...(about === undefined ? {} : { table: about.source }),
      ...(constraint === undefined ? {} : { constraint }),
      ...(column === undefined ? {} : { column }),
    },
    about,
  );
  const options: ErrorOptions = { ...subject.of, cause: error, ...(constraint === undefined ? {} : { constraint }) };
  const by = constraint === undefined ? '' : ` (constraint "${constraint}")`;
  switch (errno) {
    case 1062:
    case 1169:
    case 1586:
      return new UniqueViolationError(
        `${subject.label} is taken${by}: ${message}. Use another value, or upsert().`,
        options,
      );
    case 1216:
    case 1217:
    case 1451:
    case 1452:
      return new ForeignKeyViolationError(
        `${subject.label} breaks a reference${by}. Save the referenced entity first, or remove what refers to it.`,
        options,
      );
    case 1048:
    case 1364:
      return new NotNullViolationError(
        `${subject.label} must have a value, and none was given. Set it, or declare the property nullable.`,
        options,
      );
    case 3819:
    case 4025:
      return new CheckViolationError(
        `${subject.label}: the value was refused by the database${by}: ${message}.`,
        options,
      );
    case 1020:
      return new SerializationError(
        `A concurrent transaction came first: ${message}. Run the unit of work again; transaction() does so by itself.`,
        options,
      );
    case 1213:
      return new DeadlockError(
        'The database ended this transaction to break a deadlock. Run the unit of work again; transaction() does so by itself.',
        options,
      );
    case 1205:
      return new TimeoutError(
        `A lock was not to be had in time: ${message}. Another transaction holds the row; try again later.`,
        options,
      );
    case 1317:
    case 1969:
    case 3024:
      return new TimeoutError(
        `The database ended the statement: ${message}. Raise the time limit, or ask for less at a time.`,
        options,
      );
    case 1290:
    case 1792:
    case 1836:
      return new ReadOnlyError(
        `The database accepts no writes here: ${message}. The transaction is read-only, or the server is a replica.`,
        options,
      );
    case 1021:
    case 1114:
      return new DiskFullError(`The database has no room left: ${message}. Free some space, then try again.`, options);
    case 1054:
    case 1146:
      return new SchemaError(
        `The schema of the database does not match the entities: ${message}. Open with schema: 'apply', or run weave.schema.apply().`,
        options,
      );
    case 1153:
      return new InvalidValueError(`A value is larger than the server's max_allowed_packet: ${message}.`, options);
  }
  if (isMariadbLoss(error) || connectionNumbers.has(errno)) {
    return new ConnectionError(
      `The connection to the database failed: ${message}. Nothing of an open transaction is written.`,
      options,
    );
  }
  if (sqlState.startsWith('22') || [1264, 1265, 1292, 1366, 1406, 1411, 1690, 4038].includes(errno))
    return new InvalidValueError(`${subject.label}: a value does not fit: ${message}.`, options);
  if (sqlState.startsWith('42'))
    return new InvalidQueryError(`The database does not understand the statement: ${message}.`, options);
  return new StoreError(`The database reported: ${message}${errno === 0 ? '' : ` (${errno})`}.`, options);
}

/** `Duplicate entry 'x' for key 'name'`, ``CONSTRAINT `name` FOREIGN KEY``, ``CONSTRAINT `name` failed``. */
function constraintOf(errno: number, message: string): string | undefined {
  if (errno === 1062) return /for key '(?:.*\.)?(.+?)'$/.exec(message)?.[1];
  return /CONSTRAINT `(.+?)`/.exec(message)?.[1];
}
