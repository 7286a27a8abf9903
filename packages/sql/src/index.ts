export { compileAggregate } from './aggregate.js';
export { arrayLiteral, parseArrayLiteral, quoteElement } from './array-literal.js';
export { BatchSource } from './batch-source.js';
export { type BatchCompilers, BatchWriter } from './batch-writer.js';
export { compileBulk } from './bulk.js';
export { castType, columnType, elementType } from './column-type.js';
export { withCommit } from './commit/capability.js';
export { compileCondition } from './condition.js';
export { ConnectionDomain, type DomainOptions } from './connection-domain.js';
export { type Decode, decodeColumns, decodeRows, decoderOf } from './decode.js';
export type { Dialect } from './dialect.js';
export { columnLiteral, encoderOf, type FieldEncoder, isStorable, jsonText } from './encode.js';
export { ErrorSubjects } from './error-subjects.js';
export { isConnectionLoss, mapError } from './errors.js';
export { quoteName, quoteTable } from './identifier.js';
export type { InsertPlan } from './insert.js';
export { type Containment, columnLayout, type Layouts, type TableLayout } from './layout.js';
export { type Mysql2Connection, mariadbClient } from './mariadb/mariadb-client.js';
export { mariadbDialect } from './mariadb/mariadb-dialect.js';
export { MariadbDomain } from './mariadb/mariadb-domain.js';
export { EXACT, mariadbType } from './mariadb/mariadb-value.js';
export { decoderOfType } from './native-types.js';
export { compileOrder } from './order.js';
export type {
  AcquireRequest,
  EnlistedSession,
  PgAnswer,
  PgClient,
  PgConnection,
  PgConnections,
  PgLoneClient,
  PgQueryConfig,
} from './pg-client.js';
export { PgDomain, type PgDomainOptions } from './pg-domain.js';
export { hearClients, loneClient, type PgPoolLike, poolConnections } from './pg-pool.js';
export { RawSql } from './raw-sql.js';
export { directMatch, relatedCondition } from './related.js';
export { lockSchema, SCHEMA_LOCK_KEY } from './schema-lock.js';
export { Scope, TableScope } from './scope.js';
export { compileCount, compileSelect } from './select.js';
export type { SqlDomain, SqlResult, SqlSession, Statement, TextRow } from './session.js';
export { SessionGate, type Turn, type TurnOptions } from './session-gate.js';
export { SqlStore } from './sql-store.js';
export { addFunctions, type BetterSqlite, isSqljs, type Sqljs, sqliteClient } from './sqlite/sqlite-client.js';
export { sqliteDialect, sqljsDialect } from './sqlite/sqlite-dialect.js';
export { sqliteProtocol } from './sqlite/sqlite-protocol.js';
export { type TextForm, useTextForm } from './text-form.js';
export { microsToTimestamp, msToTimestamp, timestampToMicros, timestampToMs } from './timestamp-text.js';
export type { ByKeyPlan } from './update.js';
