/**
 * What SQLite reports, as errors of Storeweave. Its message names table and columns, which are turned back into entity
 * and property; the codes of `better-sqlite3` say the same as the messages, which is all that `sql.js` has.
 */
import {
  CheckViolationError,
  ConnectionError,
  DiskFullError,
  type EntityModel,
  type ErrorOptions,
  ForeignKeyViolationError,
  InvalidQueryError,
  InvalidValueError,
  NotNullViolationError,
  ReadOnlyError,
  SchemaError,
  StoreBusyError,
  StoreError,
  StoreweaveError,
  UniqueViolationError,
} from '@storeweave/core';
import type { ErrorSubjects } from '../error-subjects.js';

const failedConstraint = /^(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (.*))?$/s;

export function mapSqliteError(error: unknown, subjects: ErrorSubjects, about?: EntityModel): StoreweaveError {
  if (error instanceof StoreweaveError) return error;
  const { message = String(error), code = '' } = error as { readonly message?: string; readonly code?: string };
  const constraint = failedConstraint.exec(message);
  if (constraint !== null) return violation(constraint[1] ?? '', constraint[2] ?? '', error, subjects, about);
  const subject = subjects.find({}, about);
  const options: ErrorOptions = { ...subject.of, cause: error };
  if (/database is locked|database table is locked/.test(message) || code.startsWith('SQLITE_BUSY')) {
    return new StoreBusyError(
      `Another process is writing to the database: ${message}. Try again, or raise the driver's timeout.`,
      options,
    );
  }
  if (/readonly database/.test(message) || code.startsWith('SQLITE_READONLY')) {
    return new ReadOnlyError(
      `The database accepts no writes here: ${message}. The transaction or the file is read-only.`,
      options,
    );
  }
  if (/disk is full/.test(message) || code === 'SQLITE_FULL' || code === 'ENOSPC') {
    return new DiskFullError(`The database has no room left: ${message}. Free some space, then try again.`, options);
  }
  if (/storeweave: out of range|datatype mismatch|string or blob too big|malformed JSON/.test(message)) {
    return new InvalidValueError(`${subject.label}: a value does not fit: ${message}.`, options);
  }
  if (/no such (?:table|column)|has no column named/.test(message)) {
    return new SchemaError(
      `The schema of the database does not match the entities: ${message}. Open with schema: 'apply', or run weave.schema.apply().`,
      options,
    );
  }
  if (/syntax error|pattern too complex|no such function|ambiguous column/.test(message)) {
    return new InvalidQueryError(`The database does not understand the statement: ${message}.`, options);
  }
  if (
    /unable to open|not open|not a database|disk I\/O|malformed/.test(message) ||
    code.startsWith('SQLITE_CANTOPEN')
  ) {
    return new ConnectionError(
      `The database cannot be opened or read: ${message}. Nothing of an open transaction is written.`,
      options,
    );
  }
  return new StoreError(`The database reported: ${message}.`, options);
}

function violation(
  kind: string,
  detail: string,
  cause: unknown,
  subjects: ErrorSubjects,
  about: EntityModel | undefined,
): StoreweaveError {
  // `articles.sku, articles.name`, or the name of a check.
  const named = kind === 'CHECK' ? [] : detail.split(', ').map((part) => part.split('.'));
  const table = named[0]?.length === 2 ? named[0][0] : about?.source;
  const columns = named.flatMap(([, column]) => column ?? []);
  const [column] = columns;
  const subject = subjects.find(
    {
      ...(table === undefined ? {} : { table }),
      ...(columns.length === 1 && column !== undefined ? { column } : {}),
      ...(columns.length > 1 ? { detail: `(${columns.join(', ')})=()` } : {}),
      ...(kind === 'CHECK' ? { constraint: detail } : {}),
    },
    about,
  );
  const constraint = kind === 'UNIQUE' ? indexOf(about, columns) : kind === 'CHECK' ? detail : undefined;
  const options: ErrorOptions = { ...subject.of, cause, ...(constraint === undefined ? {} : { constraint }) };
  const by = constraint === undefined ? '' : ` (constraint "${constraint}")`;
  switch (kind) {
    case 'UNIQUE':
      return new UniqueViolationError(`${subject.label} is taken${by}. Use another value, or upsert().`, options);
    case 'NOT NULL':
      return new NotNullViolationError(
        `${subject.label} must have a value, and none was given. Set it, or declare the property nullable.`,
        options,
      );
    case 'CHECK':
      return new CheckViolationError(`${subject.label}: the value was refused by the database${by}.`, options);
    default:
      return new ForeignKeyViolationError(
        `${subject.label} breaks a reference; SQLite does not say which. Save the referenced entity first, or remove what refers to it.`,
        options,
      );
  }
}

/** SQLite names the columns and not the index. */
function indexOf(about: EntityModel | undefined, columns: readonly string[]): string | undefined {
  return about?.indexes.find(
    ({ unique, fields }) => unique && fields.map((field) => field.column).join() === columns.join(),
  )?.name;
}
