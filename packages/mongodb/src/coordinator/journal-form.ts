/**
 * What the journal looks like: one document for each unit of work, with its id as identity. That identity is the claim,
 * too: a document of it that a transaction has written and not yet committed keeps everybody else from writing one. It
 * is not of the model, so no plan of the schema speaks of it.
 */
import { type Access, InvalidValueError, SchemaError } from '@storeweave/core';
import type { Collection, Timestamp } from 'mongodb';
import type { Call, MongodbDomain } from '../domain.js';
import { mapError } from '../errors.js';
import { JOURNAL } from '../names.js';

/** `claimed`: the transaction wrote no more than its claim, and so decided nothing. */
type JournalState = 'claimed' | 'open' | 'done';

export interface JournalDocument {
  /** The unit of work. */
  _id: string;
  state: JournalState;
  redo?: string;
  attempts?: number;
  error?: string;
  dead?: boolean;
  /** By the server's clock, for people and back-off. */
  decidedAt?: Date;
  /** By the server's own counter, which never goes back. */
  order?: Timestamp;
}

/** Least often failed first, then oldest. Coarse counters leave it to the clock, and that to the identity. */
export const IN_ORDER = { attempts: 1, order: 1, decidedAt: 1, _id: 1 } as const;

const INDEX = { name: 'storeweave_journal_state', key: { state: 1, dead: 1, ...IN_ORDER } } as const;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function journalOf({ db }: Call): Collection<JournalDocument> {
  return db.collection<JournalDocument>(JOURNAL);
}

/** The id as it is kept. Throws `InvalidValueError` unless it is a UUID. */
export function unitId(unitOfWork: string): string {
  if (UUID.test(unitOfWork)) return unitOfWork.toLowerCase();
  throw new InvalidValueError(
    `${JSON.stringify(unitOfWork)} is not the id of a unit of work, which is a UUID. Where it was read from a fence, that fence was not put up by Storeweave.`,
  );
}

/** Makes collection and index where they are missing. Several processes may do so at the same time. */
export async function setUpJournal(domain: MongodbDomain, { transaction: _, ...access }: Access): Promise<void> {
  await domain.use(access, undefined, async (call) => {
    const known = await call.db.listCollections({ name: JOURNAL }, { nameOnly: true }).toArray();
    const journal = journalOf(call);
    if (known.length > 0 && (await journal.indexExists(INDEX.name))) return;
    try {
      await journal.createIndex(INDEX.key, { name: INDEX.name });
    } catch (error) {
      const cause = mapError(error);
      if (cause.isRetryable) throw cause;
      throw new SchemaError(
        `The collection ${JOURNAL}, which a commit over several stores needs, could not be made: ${cause.message} Give the user the right to create collections and indexes, or have this run by somebody who may: db.${JOURNAL}.createIndex(${JSON.stringify(INDEX.key)}, { name: '${INDEX.name}' }).`,
        { cause },
      );
    }
  });
}
