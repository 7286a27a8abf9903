/**
 * A MongoDB decides: the COMMIT of its transaction makes the journal document of a unit of work last, and that document
 * is the decision. The claim is the same document, written in that transaction before any fence is sent; `resolve.ts`
 * says what others learn from it.
 */
import {
  type Access,
  type CommitCoordinator,
  type Failure,
  InvalidStateError,
  InvalidValueError,
  type JournalRow,
  type JournalStats,
  type OpenQuery,
  type OpenUnit,
} from '@storeweave/core';
import { type Filter, Timestamp, type UpdateFilter } from 'mongodb';
import type { Call, MongodbDomain } from '../domain.js';
import { IN_ORDER, type JournalDocument, journalOf, setUpJournal, unitId } from './journal-form.js';
import { resolveUnit } from './resolve.js';

/** One answer holds no more text than this, but for its first document: a relay must not die of what it is to do. */
const MAX_ANSWER_LENGTH = 64 * 1024 * 1024;
/** What a document may hold, less what stands beside the redo. */
const MAX_REDO_BYTES = 16 * 1024 * 1024 - 16 * 1024;
/** A driver's message may have a whole request in it. */
const MAX_ERROR_LENGTH = 4000;

const PRIMARY = { readPreference: 'primary' } as const;

export class MongodbJournal implements CommitCoordinator {
  constructor(private readonly domain: MongodbDomain) {}

  async setUp(access: Access): Promise<void> {
    await this.domain.checkFences();
    await setUpJournal(this.domain, access);
    this.domain.coordinates = true;
  }

  async claim(unitOfWork: string, access: Access): Promise<void> {
    await this.#deciding(access, async (call) => {
      await journalOf(call).insertOne({ _id: unitId(unitOfWork), state: 'claimed' }, call.options);
    });
  }

  async record({ unitOfWork, redo }: JournalRow, access: Access): Promise<void> {
    const bytes = Buffer.byteLength(redo);
    if (bytes > MAX_REDO_BYTES) {
      throw new InvalidValueError(
        `The unit of work ${unitOfWork} is too large to be decided in "${this.domain.name}": what is to be written to the other databases is ${bytes} bytes, and a document of MongoDB holds 16 MB. Do it in smaller units of work, or have a relational store coordinate: open({ commit: { coordinator } }).`,
      );
    }
    const update: UpdateFilter<JournalDocument> = {
      $set: { state: 'open', redo, attempts: 0, dead: false },
      $currentDate: { decidedAt: true, order: { $type: 'timestamp' } },
    };
    await this.#deciding(access, async (call) => {
      // One that is there already, and is no claim, is of another attempt: then the insert fails.
      const own = { _id: unitId(unitOfWork), state: 'claimed' } as const;
      await journalOf(call).updateOne(own, update, { ...call.options, upsert: true });
    });
  }

  async resolve(unitOfWork: string, access: Access): Promise<JournalRow | undefined> {
    return resolveUnit(this.domain, unitId(unitOfWork), access);
  }

  async open(query: OpenQuery, access: Access): Promise<readonly OpenUnit[]> {
    const { limit, minAgeMs = 0, dead = false, attempts: { min, max = Infinity } = { min: 0 }, after } = query;
    return this.#use(access, async (call) => {
      const now = await serverTime(call);
      const filter: Filter<JournalDocument> = { state: 'open', dead, attempts: { $gte: min, $lte: max } };
      if (after !== undefined) filter.$or = behind(after);
      if (minAgeMs > 0) filter.decidedAt = { $lte: new Date(now - minAgeMs) };
      const cursor = journalOf(call)
        .find(filter, { ...call.options, ...PRIMARY })
        .sort(IN_ORDER)
        .limit(limit);
      const units: OpenUnit[] = [];
      let length = 0;
      for await (const document of cursor) {
        length += document.redo?.length ?? 0;
        if (units.length > 0 && length > MAX_ANSWER_LENGTH) break;
        units.push({ ...openUnit(document, now), place: placeOf(document) });
      }
      return units;
    });
  }

  async find(unitOfWork: string, access: Access): Promise<OpenUnit | undefined> {
    return this.#use(access, async (call) => {
      const filter: Filter<JournalDocument> = { _id: unitId(unitOfWork), redo: { $exists: true } };
      const found = await journalOf(call).findOne(filter, { ...call.options, ...PRIMARY });
      return found === null ? undefined : openUnit(found, await serverTime(call));
    });
  }

  async note(unitsOfWork: readonly string[], { error, attempts, dead, over }: Failure, access: Access): Promise<void> {
    const text = error?.slice(0, MAX_ERROR_LENGTH);
    const update: UpdateFilter<JournalDocument> =
      text === undefined
        ? { $set: { attempts, dead }, $unset: { error: '' } }
        : { $set: { attempts, dead, error: text } };
    await this.#each(unitsOfWork, access, (_id, call) =>
      journalOf(call).updateMany({ _id, state: 'open', ...over }, update, call.options),
    );
  }

  async handOver(unitsOfWork: readonly string[], error: string | undefined, access: Access): Promise<void> {
    const text = error?.slice(0, MAX_ERROR_LENGTH);
    const $set = { attempts: 1, ...(text !== undefined && { error: text }) };
    await this.#each(unitsOfWork, access, (_id, call) =>
      journalOf(call).updateMany({ _id, state: 'open', dead: false, attempts: 0 }, { $set }, call.options),
    );
  }

  async done(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#each(unitsOfWork, access, (_id, call) =>
      journalOf(call).updateMany({ _id, state: 'open' }, { $set: { state: 'done' } }, call.options),
    );
  }

  async forget(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#each(unitsOfWork, access, (_id, call) => journalOf(call).deleteMany({ _id }, call.options));
  }

  async prune(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#each(unitsOfWork, access, (_id, call) =>
      journalOf(call).deleteMany({ _id, state: 'done' }, call.options),
    );
  }

  async doneUnits(limit: number, access: Access): Promise<readonly string[]> {
    return this.#use(access, async (call) => {
      const options = { ...call.options, ...PRIMARY, projection: { _id: 1 } };
      const found = await journalOf(call).find({ state: 'done' }, options).limit(limit).toArray();
      return found.map(({ _id }) => _id);
    });
  }

  async stats(access: Access): Promise<JournalStats> {
    return this.#use(access, async (call) => {
      const count = (when: object) => ({ $sum: { $cond: [when, 1, 0] } });
      const group = {
        _id: null,
        open: count({ $eq: ['$dead', false] }),
        dead: count({ $eq: ['$dead', true] }),
        retried: count({ $gt: ['$attempts', 0] }),
        attempts: { $sum: '$attempts' },
        // What is null is left out.
        decidedAt: { $min: { $cond: ['$dead', null, '$decidedAt'] } },
      };
      const [found] = await journalOf(call)
        .aggregate<JournalStats & { readonly decidedAt: Date | null }>(
          [{ $match: { state: 'open' } }, { $group: group }],
          { ...call.options, ...PRIMARY },
        )
        .toArray();
      if (found === undefined) return { open: 0, dead: 0, retried: 0, attempts: 0 };
      const { open, dead, retried, attempts, decidedAt } = found;
      const oldest = decidedAt === null ? {} : { oldestMs: age({ decidedAt }, await serverTime(call)) };
      return { open, dead, retried, attempts, ...oldest };
    });
  }

  /** Work in the transaction that decides, whose end is told by the journal from now on. */
  async #deciding(access: Access, work: (call: Call) => Promise<void>): Promise<void> {
    const transaction = this.domain.own(access);
    if (transaction === undefined) {
      throw new InvalidStateError(`A commit is coordinated inside a transaction of "${this.domain.name}".`);
    }
    transaction.decides();
    await this.domain.use(access, undefined, work);
  }

  /** Several documents in one request, in one order: two relays that do the same must not block each other. */
  async #each(
    unitsOfWork: readonly string[],
    access: Access,
    change: (ids: { $in: string[] }, call: Call) => Promise<unknown>,
  ): Promise<void> {
    if (unitsOfWork.length === 0) return;
    const ids = unitsOfWork.map(unitId).sort();
    await this.#use(access, (call) => change({ $in: ids }, call));
  }

  #use<R>({ transaction: _, ...access }: Access, work: (call: Call) => Promise<R>): Promise<R> {
    return this.domain.use(access, undefined, work);
  }
}

/** Where a document stands among those with as many attempts. */
function placeOf({ order, decidedAt }: JournalDocument): string {
  return `${order?.t ?? 0}:${order?.i ?? 0}:${decidedAt?.getTime() ?? 0}`;
}

/** Filter, in the words of `IN_ORDER`. */
function behind({ attempts, place = '', unitOfWork }: OpenUnit): Filter<JournalDocument>[] {
  const [t = 0, i = 0, ms = 0] = place.split(':').map(Number);
  const [order, decidedAt] = [new Timestamp({ t, i }), new Date(ms)];
  return [
    { attempts: { $gt: attempts } },
    { attempts, order: { $gt: order } },
    { attempts, order, decidedAt: { $gt: decidedAt } },
    { attempts, order, decidedAt, _id: { $gt: unitOfWork } },
  ];
}

/** Of the server that answers, in milliseconds. */
async function serverTime({ db, options }: Call): Promise<number> {
  const { localTime } = await db.command({ hello: 1 }, { session: options.session });
  return localTime instanceof Date ? localTime.getTime() : Date.now();
}

function openUnit(document: JournalDocument, now: number): OpenUnit {
  const { _id, redo = '', attempts = 0, error, dead = false, state } = document;
  return {
    unitOfWork: _id,
    redo,
    attempts,
    ...(error === undefined ? {} : { error }),
    dead,
    ...(state === 'done' && { done: true }),
    ageMs: age(document, now),
  };
}

/** A clock that was set back makes no negative age. */
function age({ decidedAt }: Pick<JournalDocument, 'decidedAt'>, now: number): number {
  return decidedAt === undefined ? 0 : Math.max(0, now - decidedAt.getTime());
}
