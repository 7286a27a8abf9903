/**
 * Moves an entity while the application goes on writing it: copies page by page, catches up with what writers have
 * logged, surveys the whole target, and then switches: writers wait for the moment that the rest takes. Every step can be
 * cut short at any point; the next run goes on with it.
 */
import { pause } from '../../commit/waiting.js';
import { AbortedError, ConfigurationError, InvalidStateError, TimeoutError } from '../../errors/errors.js';
import type { EntityModel } from '../../model/entity-model.js';
import { decodeCursor, encodeCursor } from '../../query/cursor.js';
import { backOff, isRetryable } from '../../session/back-off.js';
import type { Access } from '../../store/access.js';
import type { Store } from '../../store/store.js';
import type { Gate } from './gate.js';
import type { MovedEntity, MovePosition, MoveProgress, MoveReport } from './move.js';
import { countOf, keyOf, keyOrder, lastKey, pages } from './pages.js';
import { Replica } from './replica.js';
import { HEED_MS, type Route } from './route.js';
import { Tenure } from './tenure.js';

export interface OnlineMoveOptions {
  /** Rows read and written at a time. Default: 1,000. */
  readonly pageSize?: number;
  /** Begins although the target has rows of the entity, and makes them what the source has. Default: false. */
  readonly deleteExtra?: boolean;
  /**
   * Longest time that writers are made to wait for one attempt to switch, in milliseconds; after it they go on, and the
   * switch is tried again. At least 500. Default: 5,000.
   */
  readonly maxHoldMs?: number;
  /** Without a sign of life for so many milliseconds a mover counts as dead. Default: 10,000. */
  readonly leaseMs?: number;
  /** Ends the run; another one goes on where it was. */
  readonly signal?: AbortSignal;
  /** Told after each page. */
  readonly onProgress?: (progress: MoveProgress) => void;
}

export interface OnlineMoveReport extends MoveReport {
  /** True where the entity now lives in the target. */
  readonly isMoved: boolean;
  /** How long writers had to wait, in milliseconds. */
  readonly heldMs: number;
}

/** A round of catching up with fewer keys than this is near enough to the end to switch. */
const NEAR = 200;
const ROUNDS = 50;
const ATTEMPTS = 10;
const SHORTEST_HOLD_MS = 5 * HEED_MS;

export class OnlineMove {
  readonly #gate: Gate;
  readonly #tenure: Tenure;
  readonly #replicas: ReadonlyMap<string, Replica>;
  readonly #access: Access;
  readonly #copied = new Map<EntityModel, number>();
  #caughtUp = 0;

  constructor(
    private readonly route: Route,
    /** Unguarded, for what only the SPI itself has. */
    private readonly target: Store,
    private readonly options: OnlineMoveOptions,
  ) {
    const { gate, source, models } = route;
    const label = `move of ${gate.name}`;
    if ((options.maxHoldMs ?? SHORTEST_HOLD_MS) < SHORTEST_HOLD_MS) {
      throw new ConfigurationError(
        `maxHoldMs is ${options.maxHoldMs}, and a switch takes ${SHORTEST_HOLD_MS} ms at least.`,
      );
    }
    this.#gate = gate;
    this.#tenure = new Tenure(gate.name, source, gate.tables.moves, options.leaseMs ?? 10_000, label, options.signal);
    this.#access = this.#tenure.access;
    const replicas = models.map(
      (model) => new Replica(model, source, route.target, gate, this.#access, () => this.#tenure.check()),
    );
    this.#replicas = new Map(replicas.map((replica) => [replica.entity.name, replica]));
  }

  /** To the end, or to where the options let it. */
  async run(): Promise<OnlineMoveReport> {
    await this.#tenure.begin();
    try {
      const state = await this.#gate.peek(this.#access);
      if (state === 'moved') return { isMoved: true, isEqual: true, heldMs: 0, entities: [] };
      if (state === 'closed') await this.#turn('closed', 'copying');
      if (state === 'idle') await this.#start();
      for (const model of this.route.models) await this.#copy(model);
      await this.#catchUp();
      await this.#survey();
      return await this.#finish();
    } finally {
      await this.#tenure.end();
    }
  }

  /** Gives the move up: the entity stays where it is. The rows that were copied stay in the target. */
  async abort(): Promise<void> {
    await this.#tenure.begin();
    try {
      const state = await this.#gate.peek(this.#access);
      if (state === 'moved') {
        throw new InvalidStateError(
          `${this.#gate.name} has been moved, and what was written since is only in the new store. Move it back by another move.`,
          { entity: this.#gate.name },
        );
      }
      if (state !== 'idle') await this.#turn(state, 'idle');
      await this.#tenure.save({ copied: null });
      for (;;) {
        const changes = await this.#gate.changes(this.#size, this.#access);
        if (changes.length === 0) return;
        await this.#gate.forget(changes, this.#access);
      }
    } finally {
      await this.#tenure.end();
    }
  }

  get #size(): number {
    return this.options.pageSize ?? 1_000;
  }

  async #start(): Promise<void> {
    const { models, target } = this.route;
    for (const model of models) {
      const count = await countOf(target, model, this.#access);
      if (count === 0 || this.options.deleteExtra === true) continue;
      throw new ConfigurationError(
        `${model.name} has ${count} rows in "${model.store}" already, where it is to be moved. If they are left from an earlier attempt or may go, say deleteExtra (--delete-extra), and they become what the source has.`,
        { entity: model.name, store: model.store },
      );
    }
    await this.#tenure.save({ copied: null });
    await this.#turn('idle', 'copying');
  }

  async #copy(model: EntityModel): Promise<void> {
    const saved = this.#position();
    const { models, source } = this.route;
    if (
      saved === 'all' ||
      (saved !== undefined && models.findIndex(({ name }) => name === saved.entity) > models.indexOf(model))
    )
      return;
    const order = keyOrder(model);
    const start = saved?.entity === model.name ? saved : undefined;
    const from = start && decodeCursor(model, order, start.after, 'position');
    const total = await countOf(source, model, this.#access);
    let done = start?.done ?? 0;
    const replica = this.#replica(model.name);
    // Rows that come later are in the log; to go after them here might have no end.
    const until = await lastKey(source, model, this.#access);
    for await (const rows of pages(source, model, { size: this.#size, from, until, access: this.#access })) {
      const copied = await replica.copy(rows);
      this.#copied.set(model, (this.#copied.get(model) ?? 0) + copied);
      done += rows.length;
      const position = { entity: model.name, after: encodeCursor(model, order, keyOf(model, rows.at(-1) ?? [])), done };
      await this.#tenure.save({ copied: JSON.stringify(position) });
      this.#tell(model.name, 'copy', done, Math.max(total, done));
    }
    if (model === models.at(-1)) await this.#tenure.save({ copied: '"all"' });
  }

  #position(): MovePosition | 'all' | undefined {
    const { copied } = this.#tenure;
    return copied === null ? undefined : (JSON.parse(copied) as MovePosition | 'all');
  }

  /** Until little is left that writers have logged since. */
  async #catchUp(): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      const count = await this.#round();
      // What came meanwhile takes about as long again, or less.
      if (count < NEAR || performance.now() - began < this.#hold / 4) return;
    }
    throw new TimeoutError(
      `${this.#gate.name} is written faster than it can be copied to its new store: after ${ROUNDS} rounds there is still more to do. Run the move again at a quieter time; what it has copied is kept.`,
      { entity: this.#gate.name },
    );
  }

  /** Everything that is in the log now, in batches. Returns the number of keys. */
  async #round(isLate: () => boolean = () => false): Promise<number> {
    let count = 0;
    // What writers add meanwhile is for the next round, or this one would have no end.
    const end = await this.#gate.pending(this.#access);
    while (count < end) {
      if (isLate()) throw new TimeoutError(`The switch of ${this.#gate.name} took too long.`);
      const changes = await this.#gate.changes(this.#size, this.#access);
      if (changes.length === 0) return count;
      for (const [name, replica] of this.#replicas) {
        const own = changes.filter((change) => change.entity === name);
        const keys = new Map(own.map((change) => [change.key, this.#gate.keyOf(replica.entity, change)]));
        if (keys.size > 0) await replica.catchUp([...keys.values()]);
      }
      this.#tenure.check();
      await this.#gate.forget(changes, this.#access);
      count += changes.length;
      this.#caughtUp += changes.length;
      this.#tell(this.#gate.name, 'catch up', this.#caughtUp, this.#caughtUp);
      if (changes.length < this.#size) return count;
    }
    return count;
  }

  async #survey(): Promise<void> {
    for (const [name, replica] of this.#replicas) {
      const total = await countOf(this.route.target, replica.entity, this.#access);
      await replica.survey(this.#size, (done) => this.#tell(name, 'compare', done, Math.max(total, done)));
    }
  }

  async #finish(): Promise<OnlineMoveReport> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.#catchUp();
      if ([...this.#replicas.values()].some((replica) => replica.differences.length > 0)) break;
      const result = await this.#switch();
      if (result.outcome === 'late') continue;
      if (result.outcome === 'unequal') break;
      return this.#report(true, result.heldMs);
    }
    const report = this.#report(false, 0);
    if (report.entities.some(({ differences }) => differences.length > 0)) return report;
    throw new TimeoutError(
      `${this.#gate.name} could not be switched: ${ATTEMPTS} attempts took longer than maxHoldMs (${this.#hold} ms), or the two stores did not hold the same number of rows. The application goes on with the old store. Run the move again, with more time or at a quieter one.`,
      { entity: this.#gate.name },
    );
  }

  get #hold(): number {
    return this.options.maxHoldMs ?? 5_000;
  }

  /** Writers wait from here to its end. */
  async #switch(): Promise<{ outcome: 'moved' | 'late' | 'unequal'; heldMs: number }> {
    const began = performance.now();
    const isLate = () => performance.now() - began > this.#hold;
    let closed: number | undefined;
    try {
      await this.#tenure.save({ announces: 'closing' });
      await pause(2 * HEED_MS, this.#access.signal);
      closed = await this.#turn('copying', 'closed', { timeoutMs: this.#hold });
      while ((await this.#round(isLate)) > 0);
      for (const replica of this.#replicas.values()) {
        if (!(await replica.isSettled())) return { outcome: 'unequal', heldMs: 0 };
        const { entity } = replica;
        if (entity.ids.some((id) => id.generated === 'sequence')) {
          await this.target.advanceSequences?.(entity, this.#access);
        }
      }
      if (isLate()) return { outcome: 'late', heldMs: 0 };
      this.#tenure.check();
      await this.#turn('closed', 'moved', {}, closed);
      closed = undefined;
      return { outcome: 'moved', heldMs: performance.now() - began };
    } catch (error) {
      if (error instanceof TimeoutError && isLate()) return { outcome: 'late', heldMs: 0 };
      throw error;
    } finally {
      if (closed !== undefined) await this.#gate.turn('closed', 'copying', { label: 'move' }, closed).catch(() => {});
      await this.#tenure.save({ announces: '' }).catch(() => {});
    }
  }

  /** Waits for writers that have passed the gate; conflicts with those that touch it are met again. */
  async #turn(
    from: Parameters<Gate['turn']>[0],
    to: Parameters<Gate['turn']>[1],
    more: Access = {},
    expected?: number,
  ): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      this.#tenure.check();
      try {
        const version = await this.#gate.turn(from, to, { ...this.#access, ...more }, expected);
        if (version !== undefined) return version;
        throw new InvalidStateError(
          `The move of ${this.#gate.name} is no longer "${from}": a writer that had waited for too long went on, or another process took over. Run the move again.`,
          { entity: this.#gate.name },
        );
      } catch (error) {
        if (!isRetryable(error) || attempt >= ROUNDS) throw error;
        await pause(backOff(attempt), this.#access.signal);
      }
    }
  }

  #replica(name: string): Replica {
    const found = this.#replicas.get(name);
    if (found === undefined) throw new AbortedError(`${name} does not move with ${this.#gate.name}.`);
    return found;
  }

  #report(isMoved: boolean, heldMs: number): OnlineMoveReport {
    const entities = [...this.#replicas.values()].map((replica): MovedEntity => {
      const { entity, count, source, target, differences, written } = replica;
      const copied = this.#copied.get(entity) ?? 0;
      return {
        entity: entity.name,
        source: count,
        target: count,
        copied,
        repaired: written - copied,
        sourceDigest: String(source),
        targetDigest: String(target),
        differences,
      };
    });
    return { isMoved, isEqual: isMoved, heldMs, entities };
  }

  #tell(entity: string, phase: MoveProgress['phase'], done: number, total: number): void {
    this.options.onProgress?.({ entity, phase, done, total });
  }
}
