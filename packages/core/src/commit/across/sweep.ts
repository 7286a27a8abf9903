/**
 * One way through the journal: what is open there is applied, store by store and many at once, and noted as done or
 * failed. It needs no more memory for many rows than for few. A store that turns out to be down is not asked again on the
 * same way, and keeps nothing of the others back.
 */
import {
  CheckViolationError,
  ForeignKeyViolationError,
  InvalidValueError,
  NotNullViolationError,
  UniqueViolationError,
} from '../../errors/errors.js';
import type { Noted, OpenQuery, OpenUnit, UnitPart } from '../../store/commit.js';
import { failureText } from './failure-text.js';
import type { Finisher } from './finisher.js';
import { openPages } from './open-pages.js';
import type { CommitSteps } from './steps.js';
import { isOfStore } from './together.js';
import type { Coordination } from './topology.js';

/** Failures are counted up to this; rows that failed as often are one class. */
export const MOST_ATTEMPTS = 10;
/** Limit on each request, in milliseconds. */
export const CALL_MS = 15_000;
/** Failures that no repetition mends, before a row becomes a dead letter. */
const FINAL_ATTEMPTS = 5;

export class Sweep {
  finished = 0;
  failed = 0;
  /** Why the first one failed. */
  error: unknown;
  /** Why a store is down. */
  readonly #down = new Map<string, unknown>();

  constructor(
    private readonly coordination: Coordination,
    private readonly finisher: Finisher,
    private readonly steps: CommitSteps,
    private readonly isUnderWay: (unitOfWork: string) => boolean,
  ) {}

  /** Throws what the coordinator throws. What became of a page is marked in the journal while the next one is applied. */
  async run(query: Pick<OpenQuery, 'attempts' | 'minAgeMs'>): Promise<void> {
    let marking = Promise.resolve();
    try {
      for await (const page of openPages(this.coordination.coordinator, query, { timeoutMs: CALL_MS })) {
        const units = page.filter(({ unitOfWork }) => !this.isUnderWay(unitOfWork));
        const failures = await this.#applyEach(units);
        await marking;
        const finished = units.filter((unit) => !failures.has(unit)).map(({ unitOfWork }) => unitOfWork);
        marking = this.#mark(finished, failures);
        // It is waited for above and below.
        marking.catch(() => {});
      }
    } finally {
      await marking;
    }
  }

  /** Those that failed in one of their stores, and why. The others are applied, durably. */
  async #applyEach(units: readonly OpenUnit[]): Promise<ReadonlyMap<OpenUnit, unknown>> {
    const failures = new Map<OpenUnit, unknown>();
    await Promise.all(
      [...this.#byStore(units, failures)].map(async ([store, parts]) => {
        for (const [unit, reason] of await this.#apply(store, parts)) failures.set(unit, reason);
      }),
    );
    return failures;
  }

  /** Says in the journal what became of them. */
  async #mark(finished: readonly string[], failures: ReadonlyMap<OpenUnit, unknown>): Promise<void> {
    const [first] = finished;
    if (first !== undefined) {
      const { name, coordinator } = this.coordination;
      const subject = { unitOfWork: first, unitsOfWork: finished, store: name, by: 'relay' as const };
      await this.steps.run('done', subject, () => coordinator.done(finished, { timeoutMs: CALL_MS }));
    }
    this.finished += finished.length;
    await this.#note(failures);
  }

  /** What is to be done in each store; what cannot be read is a failure. */
  #byStore(units: readonly OpenUnit[], failures: Map<OpenUnit, unknown>): Map<string, Map<UnitPart, OpenUnit>> {
    const stores = new Map<string, Map<UnitPart, OpenUnit>>();
    for (const unit of units) {
      try {
        const owner = this.finisher.ownerOf(unit.unitOfWork);
        for (const { store, batches } of this.finisher.decode(unit.redo)) {
          const parts = stores.get(store) ?? new Map<UnitPart, OpenUnit>();
          stores.set(store, parts.set({ owner, batches }, unit));
        }
      } catch (error) {
        failures.set(unit, error);
      }
    }
    return stores;
  }

  /** Those that failed, and why. */
  async #apply(store: string, parts: ReadonlyMap<UnitPart, OpenUnit>): Promise<[OpenUnit, unknown][]> {
    const down = this.#down.get(store);
    if (down !== undefined) return [...parts.values()].map((unit) => [unit, down]);
    const outcomes = await this.finisher.applyAll(store, [...parts.keys()], 'relay', { timeoutMs: CALL_MS });
    const failed = [...parts.values()].flatMap((unit, at): [OpenUnit, unknown][] => {
      const outcome = outcomes[at];
      return outcome?.status === 'rejected' ? [[unit, outcome.reason]] : [];
    });
    const [first] = failed;
    if (first !== undefined && failed.length === parts.size && failed.every(([, reason]) => isOfStore(reason))) {
      this.#down.set(store, first[1]);
    }
    return failed;
  }

  async #note(failures: ReadonlyMap<OpenUnit, unknown>): Promise<void> {
    const alike = new Map<string, { units: string[]; error: string; attempts: number; dead: boolean; over: Noted }>();
    for (const [unit, reason] of failures) {
      this.failed++;
      this.error ??= reason;
      const attempts = Math.max(unit.attempts, Math.min(unit.attempts + 1, MOST_ATTEMPTS));
      const dead = isFinal(reason) && attempts >= FINAL_ATTEMPTS;
      const error = failureText(reason);
      if (attempts === unit.attempts && error === unit.error && !dead) continue;
      const over = { attempts: unit.attempts, dead: unit.dead };
      const key = `${over.attempts} ${over.dead} ${attempts} ${dead} ${error}`;
      const note = alike.get(key) ?? { units: [], error, attempts, dead, over };
      note.units.push(unit.unitOfWork);
      alike.set(key, note);
    }
    for (const { units, ...failure } of alike.values()) {
      // Without the note they are tried again sooner; where the coordinator is down, the next request says so.
      await this.coordination.coordinator.note(units, failure, { timeoutMs: CALL_MS }).catch(() => {});
    }
  }
}

/** Errors of the data itself: the same data fails in the same way for ever. */
function isFinal(error: unknown): boolean {
  return [
    CheckViolationError,
    ForeignKeyViolationError,
    InvalidValueError,
    NotNullViolationError,
    UniqueViolationError,
  ].some((kind) => error instanceof kind);
}
