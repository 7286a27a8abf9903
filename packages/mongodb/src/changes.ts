/**
 * What happens to the documents of a class, as it happens, by whichever writer. Each change carries a token, and a reader
 * that begins after a token misses nothing as long as the server's log reaches back to it. A lost connection or an
 * election is bridged the same way: the stream is opened again after the last change that was taken.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CapabilityError,
  ConnectionError,
  type EntityModel,
  InvalidQueryError,
  InvalidStateError,
} from '@storeweave/core';
import { BSON, type ChangeStream, type ChangeStreamDocument, type Document, type ResumeToken } from 'mongodb';
import type { MongodbDomain } from './domain.js';
import { mapError } from './errors.js';
import { type DocumentChange, FencesSeen } from './fence-changes.js';
import { FENCE } from './fence-form.js';
import { shapeOf } from './names.js';
import { entityObject, keyObject } from './objects.js';

export interface ChangesOptions {
  /** Begin after the change with this token. Default: with what happens from now on. */
  readonly after?: string;
  /** Only these. Default: all. */
  readonly kinds?: readonly Change<object>['kind'][];
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** How long a lost server is looked for before the iteration throws, in milliseconds. Default: 60,000. */
  readonly patienceMs?: number;
}

/** One change of one document. */
export interface Change<T extends object> {
  readonly kind: 'insert' | 'update' | 'replace' | 'delete';
  /** The identity: the value of the one id, or an object of several. */
  readonly id: unknown;
  /**
   * The document as it is when the change is read, as a plain object with the values of the class. Absent for a deletion,
   * and where the document has been deleted since.
   */
  readonly document?: Partial<T>;
  /** Properties that an update set or cleared, as dotted paths in the document. */
  readonly changed?: readonly string[];
  /** Pass it as `after` to go on behind this change, in this process or another. */
  readonly token: string;
}

const HISTORY_LOST = 286;
const KINDS = ['insert', 'update', 'replace', 'delete'] as const;
/** How long the server holds an answer back for a change to come. */
const AWAIT_MS = 1_000;

export async function* changesOf<T extends object>(
  domain: MongodbDomain,
  entity: EntityModel,
  options: ChangesOptions,
): AsyncGenerator<Change<T>, void, undefined> {
  const { signal, patienceMs = 60_000 } = options;
  if (domain.connection.deployment?.transactions !== true) {
    throw new CapabilityError(
      `Changes of ${entity.name} need a replica set or a sharded cluster, and the MongoDB of "${domain.connection.database}" is standalone.`,
      { entity: entity.name, store: entity.store },
    );
  }
  const kinds: readonly string[] = options.kinds ?? KINDS;
  let after = options.after === undefined ? undefined : tokenOf(options.after);
  let lostAt: number | undefined;
  const fences = domain.fenced.has(entity) ? new FencesSeen() : undefined;
  const isOver = () => signal?.aborted === true;
  while (!isOver()) {
    const stream = open(domain, entity, after);
    const stop = () => void stream.close().catch(() => {});
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for (;;) {
        const change = await stream.tryNext();
        lostAt = undefined;
        after = stream.resumeToken ?? after;
        if (change === null) {
          if (isOver()) return;
          continue;
        }
        after = change._id;
        const one = describe<T>(entity, change, fences);
        if (one !== undefined && kinds.includes(one.kind)) yield one;
      }
    } catch (error) {
      if (isOver()) return;
      const mapped = mapChangeError(error, entity);
      if (!(mapped instanceof ConnectionError)) throw mapped;
      lostAt ??= Date.now();
      if (Date.now() - lostAt > patienceMs) throw mapped;
      await pause(100);
    } finally {
      signal?.removeEventListener('abort', stop);
      await stream.close().catch(() => {});
    }
  }
}

function open(
  domain: MongodbDomain,
  entity: EntityModel,
  resumeAfter: ResumeToken | undefined,
): ChangeStream<Document, ChangeStreamDocument> {
  return (
    domain.connection.place.db
      .collection(shapeOf(entity).collection)
      // The same for every reader: a server may not find a token again among changes that another pipeline leaves out.
      .watch([{ $match: { operationType: { $in: [...KINDS] } } }], {
        fullDocument: 'updateLookup',
        maxAwaitTimeMS: AWAIT_MS,
        ...(resumeAfter === undefined ? {} : { resumeAfter }),
      })
  );
}

function describe<T extends object>(
  entity: EntityModel,
  change: ChangeStreamDocument,
  fences: FencesSeen | undefined,
): Change<T> | undefined {
  if (!isOfDocument(change)) return undefined;
  const kind = fences === undefined ? change.operationType : fences.kindOf(change);
  if (kind === undefined) return undefined;
  const full = change.operationType === 'delete' ? undefined : (change.fullDocument as Document | null | undefined);
  const description = kind === 'update' && change.operationType === 'update' ? change.updateDescription : undefined;
  const changed = [...Object.keys(description?.updatedFields ?? {}), ...(description?.removedFields ?? [])];
  return {
    kind,
    id: keyObject(entity, change.documentKey),
    ...(full === undefined || full === null ? {} : { document: entityObject(entity, full) as Partial<T> }),
    ...(description === undefined ? {} : { changed: fences === undefined ? changed : changed.filter(isOfClass) }),
    token: Buffer.from(BSON.EJSON.stringify(change._id as Document)).toString('base64url'),
  };
}

function isOfDocument(change: ChangeStreamDocument): change is DocumentChange {
  return KINDS.some((kind) => kind === change.operationType);
}

function isOfClass(path: string): boolean {
  return path !== FENCE;
}

function tokenOf(text: string): ResumeToken {
  try {
    const token = BSON.EJSON.parse(Buffer.from(text, 'base64url').toString()) as unknown;
    if (typeof token === 'object' && token !== null) return token;
  } catch {
    // not even JSON
  }
  throw new InvalidQueryError('"after" is not the token of a change. Pass it as it was given.');
}

function mapChangeError(error: unknown, entity: EntityModel) {
  if ((error as { code?: unknown }).code !== HISTORY_LOST) return mapError(error, entity);
  return new InvalidStateError(
    `The server's log does not reach back to the given change of ${entity.name}. Read the documents anew and begin with what happens from then on.`,
    { entity: entity.name, store: entity.store, cause: error },
  );
}
