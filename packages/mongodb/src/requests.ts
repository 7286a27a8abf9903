/**
 * Many operations on several collections in one request: from MongoDB 8 on by the server's own bulk command, on older
 * servers in one request for each collection. Operations that were refused are told by position, so that those beside
 * them still count.
 */
import {
  type AnyBulkWriteOperation,
  type AnyClientBulkWriteModel,
  type BulkWriteOptions,
  type Document,
  MongoBulkWriteError,
  MongoClientBulkWriteError,
  MongoServerError,
} from 'mongodb';
import type { Call } from './domain.js';
import { refusedCommand } from './errors.js';
import { DURABLE } from './fence-form.js';

/** One operation; its `namespace` says where. */
export type Operation = AnyClientBulkWriteModel<Document>;

/** What became of a request. */
export interface Outcome {
  /** Documents that updates have found. */
  readonly matched: number;
  /** Operations that the server refused, by their position. */
  readonly refused: ReadonlyMap<number, MongoServerError>;
}

/** Runs what uses the server's own bulk command; undefined where it is not to be had, and nothing has happened. */
export async function byBulkCommand<R>({ bulk, transaction }: Call, work: () => Promise<R>): Promise<R | undefined> {
  const isFirst = transaction?.isUnused === true;
  if (!bulk.command || (isFirst && !bulk.asFirst)) return undefined;
  try {
    return await work();
  } catch (error) {
    // Some servers do not know the command, or not where a transaction begins with it: nothing has happened then.
    if (!refusedCommand(error) || transaction?.isUnused === false) throw error;
    if (isFirst) bulk.asFirst = false;
    else bulk.command = false;
    await transaction?.restartUnused();
    return undefined;
  }
}

/** Sends operations that do not depend on each other's success. Acknowledged as durable. */
export async function sendUnordered(operations: readonly Operation[], call: Call): Promise<Outcome> {
  if (operations.length === 0) return { matched: 0, refused: new Map() };
  const options = { ...call.options, ...DURABLE, ordered: false };
  const outcome = await byBulkCommand(call, async (): Promise<Outcome> => {
    // A session that has seen nothing: the driver asks for a time to read after, which writes have no use for and which
    // not every server takes.
    const session = call.client.startSession();
    try {
      const { matchedCount } = await call.client.bulkWrite(operations, { ...options, session });
      return { matched: matchedCount, refused: new Map() };
    } catch (error) {
      if (!(error instanceof MongoClientBulkWriteError)) throw error;
      if (error.writeErrors.size === 0 || error.writeConcernErrors.length > 0 || error.cause !== undefined) throw error;
      const refused = [...error.writeErrors].map(
        ([at, each]) => [at, refusal(each.code, each.message, error)] as const,
      );
      return { matched: error.partialResult?.matchedCount ?? 0, refused: new Map(refused) };
    } finally {
      if (session.operationTime !== undefined) call.options.session.advanceOperationTime(session.operationTime);
      await session.endSession();
    }
  });
  return outcome ?? byCollection(operations, call, options);
}

/** Sends operations in their order, inside of a transaction; the first refusal is thrown. */
export async function sendOrdered(operations: readonly Operation[], call: Call): Promise<void> {
  if (operations.length === 0) return;
  const options = { ...call.options, ordered: true };
  const done = await byBulkCommand(call, () => call.client.bulkWrite(operations, options));
  if (done !== undefined) return;
  for (const [, group] of grouped(operations, call)) await group.collection.bulkWrite(group.operations, options);
}

async function byCollection(operations: readonly Operation[], call: Call, options: BulkWriteOptions): Promise<Outcome> {
  let matched = 0;
  const refused = new Map<number, MongoServerError>();
  for (const [, group] of grouped(operations, call)) {
    try {
      matched += (await group.collection.bulkWrite(group.operations, options)).matchedCount;
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
      const errors = [error.writeErrors].flat();
      if (errors.length === 0 || error.result.getWriteConcernError() !== undefined) throw error;
      matched += error.matchedCount;
      for (const each of errors) {
        refused.set(group.positions[each.index] ?? -1, refusal(each.code, each.errmsg ?? '', error, each.err.errInfo));
      }
    }
  }
  return { matched, refused };
}

function refusal(code: number, message: string, cause: Error, errInfo?: Document): MongoServerError {
  const error = new MongoServerError({ message, code, ...(errInfo === undefined ? {} : { errInfo }) });
  error.cause = cause;
  return error;
}

function grouped(operations: readonly Operation[], { db }: Call) {
  const groups = new Map<
    string,
    { collection: ReturnType<typeof db.collection>; operations: AnyBulkWriteOperation[]; positions: number[] }
  >();
  for (const [at, operation] of operations.entries()) {
    const name = operation.namespace.slice(db.databaseName.length + 1);
    const group = groups.get(name) ?? { collection: db.collection(name), operations: [], positions: [] };
    group.operations.push(plain(operation));
    group.positions.push(at);
    groups.set(name, group);
  }
  return groups;
}

function plain(operation: Operation): AnyBulkWriteOperation {
  switch (operation.name) {
    case 'insertOne':
      return { insertOne: { document: operation.document } };
    case 'updateOne':
      return { updateOne: { filter: operation.filter, update: operation.update } };
    case 'updateMany':
      return { updateMany: { filter: operation.filter, update: operation.update } };
    case 'deleteOne':
      return { deleteOne: { filter: operation.filter } };
    case 'deleteMany':
      return { deleteMany: { filter: operation.filter } };
    case 'replaceOne':
      return { replaceOne: { filter: operation.filter, replacement: operation.replacement } };
  }
}
