/**
 * What the driver and the server report, as the errors of the core: by the status code, and for a constraint by the
 * label and properties that its message names. The driver's error is kept as `cause`.
 */
import {
  CheckViolationError,
  CommitUnknownError,
  ConfigurationError,
  ConnectionError,
  DeadlockError,
  DiskFullError,
  type EntityModel,
  type ErrorOptions,
  type Field,
  ForeignKeyViolationError,
  InvalidQueryError,
  InvalidValueError,
  ReadOnlyError,
  SchemaError,
  SerializationError,
  StoreBusyError,
  StoreError,
  StoreweaveError,
  TimeoutError,
  UniqueViolationError,
} from '@storeweave/core';
import type { GraphNames } from './names.js';

interface ServerError {
  readonly code?: string;
  readonly message?: string;
}

/** `Node(12) already exists with label `Person` and properties `a` = 1, `b` = 'x'`, with values of the application. */
const TAKEN = /^(?:Node|Relationship)\(\d+\) already exists with (?:label|type) `(.+?)` and propert(?:y|ies) (`.*)$/s;

/** An error of the driver as one of ours. Errors that are ours already pass through. */
export function mapError(error: unknown, names: GraphNames, about?: EntityModel): StoreweaveError {
  if (error instanceof StoreweaveError) return error;
  const { code = '', message = String(error) } = error as ServerError;
  const options: ErrorOptions = { cause: error, ...(about && { entity: about.name, store: about.store }) };
  const kind = code.split('.').slice(1).join('.');
  if (/acquisition timed out/i.test(message)) {
    return new StoreBusyError(
      `No connection to Neo4j became free in time: ${message} Keep transactions short, or raise poolSize.`,
      options,
    );
  }
  if (isConnectionLoss(error)) {
    return new ConnectionError(
      `Neo4j cannot be reached, or the connection was lost: ${message} Nothing of an open transaction is written.`,
      options,
    );
  }
  switch (kind) {
    case 'ClientError.Schema.ConstraintValidationFailed':
      return constraintError(message, names, options);
    case 'TransientError.Transaction.DeadlockDetected':
      return new DeadlockError(
        'Neo4j ended this transaction to break a deadlock. Run the unit of work again; transaction() does so by itself.',
        options,
      );
    case 'ClientError.Statement.EntityNotFound':
    case 'TransientError.Transaction.Outdated':
    case 'TransientError.Transaction.ConstraintsChanged':
    case 'TransientError.Transaction.LockClientStopped':
    case 'TransientError.Transaction.LeaseExpired':
    case 'TransientError.Cluster.ReplicationFailure':
      return new SerializationError(
        `A concurrent transaction came first: ${message}. Run the unit of work again; transaction() does so by itself.`,
        options,
      );
    case 'ClientError.Transaction.TransactionTimedOut':
    case 'ClientError.Transaction.TransactionTimedOutClientConfiguration':
    case 'TransientError.Transaction.LockAcquisitionTimeout':
    case 'ClientError.Transaction.LockAcquisitionTimeout':
    case 'TransientError.Transaction.BookmarkTimeout':
    case 'ClientError.Transaction.BookmarkTimeout':
      return new TimeoutError(
        `Neo4j ended the transaction: ${message}. Raise the time limit, or ask for less at a time.`,
        options,
      );
    case 'ClientError.Statement.AccessMode':
    case 'ClientError.General.ForbiddenOnReadOnlyDatabase':
    case 'ClientError.Cluster.NotALeader':
      return new ReadOnlyError(`Neo4j accepts no writes here: ${message}`, options);
    case 'TransientError.General.DatabaseUnavailable':
    case 'TransientError.Request.NoThreadsAvailable':
      return new ConnectionError(`Neo4j cannot serve at present: ${message}`, options);
    case 'ClientError.Database.DatabaseNotFound':
      return new ConfigurationError(`${message} Check the option database.`, options);
    case 'ClientError.Statement.ArgumentError':
    case 'ClientError.Statement.TypeError':
    case 'ClientError.Statement.ArithmeticError':
    case 'ClientError.Statement.SemanticError':
    case 'ClientError.Statement.ParameterMissing':
      return new InvalidValueError(`Neo4j refused a value: ${message}`, options);
    case 'ClientError.Statement.SyntaxError':
      return new InvalidQueryError(`Neo4j does not understand the statement: ${message}`, options);
    case 'ClientError.Statement.PropertyNotFound':
    case 'ClientError.Schema.IndexNotFound':
    case 'ClientError.Schema.ConstraintNotFound':
    case 'ClientError.Schema.IndexWithNameAlreadyExists':
    case 'ClientError.Schema.ConstraintWithNameAlreadyExists':
    case 'ClientError.Schema.EquivalentSchemaRuleAlreadyExists':
    case 'ClientError.Schema.IndexAlreadyExists':
    case 'ClientError.Schema.ConstraintAlreadyExists':
    case 'DatabaseError.Schema.ConstraintCreationFailed':
      return new SchemaError(`Neo4j refused a change of the schema: ${message}`, options);
  }
  if (kind.startsWith('TransientError.') && kind !== 'TransientError.Transaction.Terminated') {
    return new SerializationError(`Neo4j asks for another try: ${message}`, options);
  }
  if (kind.startsWith('ClientError.Security.')) {
    return new ConnectionError(
      `Neo4j refused the connection: ${message} Check username, password and what the user may do.`,
      options,
    );
  }
  if (/too large to index|property.* too large|exceeds? the maximum/i.test(message)) {
    return new InvalidValueError(`Neo4j cannot keep the value: ${message}`, options);
  }
  if (/no space left|disk/i.test(message) && kind.startsWith('DatabaseError')) {
    return new DiskFullError(`Neo4j has no room left: ${message}`, options);
  }
  return new StoreError(`Neo4j reported: ${message}${code === '' ? '' : ` (${code})`}`, options);
}

/** The outcome of a COMMIT that failed: known where the server said so, unknown where the connection went. */
export function mapCommitError(error: unknown, names: GraphNames): StoreweaveError {
  if (!isConnectionLoss(error)) return mapError(error, names);
  return new CommitUnknownError(
    'The connection was lost while COMMIT was under way: the changes may be stored, or not. Read what they should have changed before doing them again.',
    { cause: error },
  );
}

/** True where the server said nothing because it could not be reached. */
export function isConnectionLoss(error: unknown): boolean {
  const { code = '', message = '' } = error as ServerError;
  if (code === 'ServiceUnavailable' || code === 'SessionExpired') return true;
  if (/^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/.test(code)) return true;
  return /pool is closed|socket (hang up|closed)|connection was closed/i.test(message);
}

function constraintError(message: string, names: GraphNames, options: ErrorOptions): StoreweaveError {
  const match = TAKEN.exec(message);
  if (match !== null) {
    const [, source = '', list = ''] = match;
    const entity = names.all.find((each) => names.shape(each).source === source);
    const rule = entity && names.uniqueRules(entity).find(({ fields }) => isAbout(list, fields));
    const property = rule?.fields.map((field) => field.name).join(', ');
    return new UniqueViolationError(
      `${entity?.name ?? source}${property === undefined ? '' : ` (${property})`}: the value is taken. Use another value, or upsert().`,
      {
        ...options,
        ...(entity && { entity: entity.name, store: entity.store }),
        ...(rule && { constraint: rule.name, property }),
      },
    );
  }
  if (/still has relationships/.test(message)) {
    return new ForeignKeyViolationError(
      `A node could not be deleted, because relationships were added to it at the same time: ${message}. Run it again.`,
      options,
    );
  }
  return new CheckViolationError(`A constraint of Neo4j refused the value: ${message}`, options);
}

/** Whether the server's list of properties with their values is of these fields. */
function isAbout(list: string, fields: readonly Field[]): boolean {
  const parts = fields.map((field) => `\`${field.column}\` = `);
  return list.startsWith(parts[0] ?? '?') && parts.every((part) => list.includes(part));
}
