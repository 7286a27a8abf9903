/**
 * The journal of commits over several databases, for those who run the application: what is decided and not yet applied
 * everywhere, what cannot be, and the means to finish it, try it again, or give it up.
 */
import { discarding, isDiscarded } from '../commit/across/discarded.js';
import type { CommitEngine } from '../commit/across/engine.js';
import type { StoreRedo } from '../commit/across/redo.js';
import type { DrainReport } from '../commit/across/report.js';
import { InvalidStateError } from '../errors/errors.js';
import type { JournalStats, OpenUnit } from '../store/commit.js';

/** One decided unit of work that is not applied everywhere. */
export interface JournalEntry extends Omit<OpenUnit, 'redo' | 'place'> {
  /** Logical stores that it is applied in; undefined where this process does not know the entities. */
  readonly stores: readonly string[] | undefined;
  /** What is to be applied there. Nothing for a store whose part is a prepared transaction, which has its changes itself. */
  readonly changes: readonly JournalChange[] | undefined;
}

/** Rows of one entity in one store. */
export interface JournalChange {
  readonly store: string;
  readonly entity: string;
  readonly operation: 'insert' | 'update' | 'delete';
  readonly rows: number;
}

export class Journal {
  constructor(private readonly engine: CommitEngine) {}

  /** Units of work that are not applied everywhere, those first that failed least often; with `dead`, those that are no longer tried. */
  async list(options: { readonly dead?: boolean; readonly limit?: number } = {}): Promise<JournalEntry[]> {
    const { dead = false, limit = 100 } = options;
    const rows = await this.#coordinator.open({ limit, dead }, {});
    return rows.map((row) => this.#entry(row));
  }

  /** One unit of work, done or not; undefined where the journal has no row of it: refused, or finished for long. */
  async find(unitOfWork: string): Promise<JournalEntry | undefined> {
    const row = await this.#coordinator.find(unitOfWork, {});
    return row && this.#entry(row);
  }

  stats(): Promise<JournalStats> {
    return this.#coordinator.stats({});
  }

  /**
   * Gives a unit of work back to the relays, dead letter or not; they try it at once where the coordinator can tell them.
   * Throws `InvalidStateError` where none is to be finished, and where somebody discards it meanwhile.
   */
  async retry(unitOfWork: string): Promise<void> {
    let row: OpenUnit | undefined = await this.#required(unitOfWork);
    do {
      if (row.done === true || isDiscarded(row)) {
        const how = row.dead ? 'was discarded' : 'is applied everywhere';
        throw new InvalidStateError(`The unit of work ${unitOfWork} ${how}: there is nothing left to try again.`);
      }
      const over = { attempts: row.attempts, dead: row.dead };
      await this.#coordinator.note([unitOfWork], { attempts: 0, dead: false, over }, {});
      // Dead still, or anew: somebody has noted something in between.
      row = await this.#coordinator.find(unitOfWork, {});
    } while (row?.dead === true);
    this.engine.relay.wake();
  }

  /**
   * Gives a dead letter up: its fences are taken off, and what was not applied never will be. This breaks the unit of work
   * apart, on purpose and for good: where it fails or dies in the middle, do it again. Throws `InvalidStateError` for one
   * that is not a dead letter, or that somebody gives back to the relays meanwhile, and what a store throws whose fences
   * cannot be taken off.
   */
  async discard(unitOfWork: string, reason: string): Promise<void> {
    const row = await this.#required(unitOfWork);
    if (!row.dead || row.done === true) {
      throw new InvalidStateError(
        `The unit of work ${unitOfWork} is not a dead letter: ${row.done === true ? 'it is over' : 'relays are still at it'}. Only what they have given up can be discarded.`,
      );
    }
    // The journal first: somebody who tried it again after its fences are gone would call half of it applied.
    if (!isDiscarded(row)) {
      await this.#coordinator.note([unitOfWork], discarding(row, reason), {});
      const now = await this.#coordinator.find(unitOfWork, {});
      if (now === undefined || !isDiscarded(now)) {
        throw new InvalidStateError(
          `The unit of work ${unitOfWork} was given back to the relays while it was to be discarded: nothing was discarded. Look at \`journal show ${unitOfWork}\` and decide again.`,
        );
      }
    }
    await this.engine.finisher.abandon(unitOfWork, {});
    await this.#coordinator.done([unitOfWork], {});
  }

  /**
   * Finishes everything that can be finished now, and takes off fences whose unit of work was never decided. A store that
   * is down keeps nothing of the others back; what it kept is counted as failed, and stays for relays. Throws where the
   * coordinator does not answer.
   */
  drain(): Promise<DrainReport> {
    return this.engine.relay.drain();
  }

  get #coordinator() {
    return this.engine.topology.coordination.coordinator;
  }

  async #required(unitOfWork: string): Promise<OpenUnit> {
    const row = await this.#coordinator.find(unitOfWork, {});
    if (row !== undefined) return row;
    throw new InvalidStateError(
      `The journal has no unit of work ${unitOfWork}: it was refused, or finished and pruned. journal list shows the open ones.`,
    );
  }

  #entry({ redo, place: _, ...row }: OpenUnit): JournalEntry {
    const parts = this.#parts(redo);
    const changes = parts?.flatMap(({ store, batches }) =>
      batches.map((batch) => ({
        store,
        entity: batch.entity.name,
        operation: batch.op,
        rows: batch.op === 'insert' ? batch.rows.length : batch.keys.length,
      })),
    );
    return { ...row, stores: parts?.map(({ store }) => store), changes };
  }

  #parts(redo: string): readonly StoreRedo[] | undefined {
    try {
      return this.engine.finisher.decode(redo);
    } catch {
      return undefined;
    }
  }
}
