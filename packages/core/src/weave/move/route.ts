/**
 * Where an entity that is being moved is read and written. Before the switch that is its old store, by way of the gate:
 * writers pass it in their own transactions, and readers look whether it has turned while they read, so that nobody is
 * given what is out of date. After it, it is the new store, and nothing is asked any more.
 */
import { inTurn } from '../../commit/turns.js';
import { pause, untilAborted } from '../../commit/waiting.js';
import { ConnectionError, EntityMovingError } from '../../errors/errors.js';
import type { EntityModel } from '../../model/entity-model.js';
import { backOff, isRetryable, Obstacles, RETRIES } from '../../session/back-off.js';
import type { Access, Transaction } from '../../store/access.js';
import type { Store } from '../../store/store.js';
import type { Gate } from './gate.js';
import { changeMove, readMove } from './tenure.js';

/** How old the knowledge of an announcement may be, in milliseconds. Only the patience of the switch depends on it. */
export const HEED_MS = 100;
const POLL_MS = 20;

/** A write as it is done in the store that has the entity; `isLogged`: with the keys that it touches. */
export type Change<R> = (store: Store, access: Access, isLogged: boolean) => Promise<R>;

export class Route {
  readonly #looked = new WeakSet<Transaction>();
  #isMoved = false;
  #isClosing = false;
  #isEnded = false;
  #heeded = Number.NEGATIVE_INFINITY;
  #settling: Promise<void> | undefined;

  constructor(
    readonly gate: Gate,
    /** The entity, and links of its own that move with it. */
    readonly models: readonly EntityModel[],
    readonly source: Store,
    readonly target: Store,
  ) {}

  /** True from when this process knows it; it never becomes false again. */
  get isMoved(): boolean {
    return this.#isMoved;
  }

  /** Makes the gate ready and learns where the entity is. */
  async prepare(): Promise<void> {
    const access: Access = { label: `move of ${this.gate.name}` };
    await this.gate.prepare(access);
    this.#isMoved = (await this.gate.peek(access)) === 'moved';
  }

  /** Lets nobody wait any more: the stores are about to be closed. */
  end(): void {
    this.#isEnded = true;
  }

  /** Reads from where the entity is, and never what it was before a switch that is over. */
  async read<R>(access: Access, call: (store: Store) => Promise<R>): Promise<R> {
    const { transaction } = access;
    if (transaction !== undefined) {
      if (transaction.domain !== this.source.domain) return call(this.target);
      // Once for each transaction: what it reads later is as of its time.
      if (!this.#looked.has(transaction)) {
        if ((await this.gate.peek(access)) === 'moved') throw this.#moved();
        this.#looked.add(transaction);
      }
      return call(this.source);
    }
    if (this.#isMoved) return call(this.target);
    // Not moved at a moment after the beginning: then the source had every write that was acknowledged before it.
    const [rows, state] = await Promise.allSettled([call(this.source), this.gate.peek(access)]);
    if (state.status === 'fulfilled' && state.value === 'moved') {
      this.#isMoved = true;
      return call(this.target);
    }
    if (rows.status === 'rejected') throw rows.reason;
    if (state.status === 'rejected') throw state.reason;
    return rows.value;
  }

  /** Reads rows to be kept from others: like a write, it holds the switch up to the end of the transaction. */
  lockingRead<R>(access: Access, call: (store: Store) => Promise<R>): Promise<R> {
    return this.write(access, (store) => call(store));
  }

  /** Writes where the entity is. */
  async write<R>(access: Access, change: Change<R>): Promise<R> {
    const { transaction } = access;
    if (transaction !== undefined) {
      if (transaction.domain !== this.source.domain) return change(this.target, access, false);
      return change(this.source, access, (await this.#enter(access)) === 'copying');
    }
    const obstacles = new Obstacles(access.signal);
    for (let attempt = 0; ; attempt++) {
      if (this.#isMoved) return change(this.target, access, false);
      try {
        return await this.#alone(access, change);
      } catch (error) {
        if (await obstacles.cleared(error)) attempt -= 1;
        else if (attempt >= RETRIES || !isRetryable(error) || error instanceof ConnectionError) throw error;
        else await pause(backOff(attempt), access.signal);
      }
    }
  }

  /** A write that is no part of a transaction gets one of its own, for the gate and the log. */
  async #alone<R>(access: Access, change: Change<R>): Promise<R> {
    const transaction = await this.source.domain.begin?.(access);
    if (transaction === undefined) return change(this.source, access, false);
    try {
      const result = await this.write({ ...access, transaction }, change);
      await inTurn(transaction, () => transaction.commit());
      return result;
    } catch (error) {
      await inTurn(transaction, () => transaction.rollback());
      throw error;
    }
  }

  async #enter(access: Access): Promise<'idle' | 'copying'> {
    const now = performance.now();
    if (now - this.#heeded > HEED_MS) {
      // Locks for sharing can follow each other without end, so whoever closes the gate asks for a pause first.
      const { announces } = await readMove(this.source, this.gate.tables.moves, this.gate.name, access);
      this.#isClosing = announces === 'closing';
      this.#heeded = now;
    }
    if (this.#isClosing) throw this.#moving('is about to be switched');
    const state = await this.gate.enter(access);
    if (state === 'moved') throw this.#moved();
    if (state === 'closed') throw this.#moving('is being switched');
    return state;
  }

  #moved(): EntityMovingError {
    this.#isMoved = true;
    return this.#moving('has just been switched');
  }

  #moving(what: string): EntityMovingError {
    return new EntityMovingError(
      `${this.gate.name} ${what} to another store, and this unit of work began before. Nothing of it was kept: do it again.`,
      (signal) => untilAborted(this.#settled(), signal),
      { entity: this.gate.name, store: this.gate.tables.gates.store },
    );
  }

  /** All who wait do so together. */
  #settled(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #settle(): Promise<void> {
    let version: number | undefined;
    let since = performance.now();
    while (!this.#isMoved && !this.#isEnded) {
      try {
        const access: Access = { label: `wait for the move of ${this.gate.name}` };
        const row = await readMove(this.source, this.gate.tables.moves, this.gate.name, access);
        const state = await this.gate.peek(access);
        this.#isMoved = state === 'moved';
        this.#isClosing = row.announces === 'closing';
        if (state !== 'closed' && !this.#isClosing) return;
        if (row.version !== version) [version, since] = [row.version, performance.now()];
        else if (performance.now() - since > row.lease) await this.#reopen(access);
      } catch (error) {
        if (!isRetryable(error)) throw error;
      }
      if (!this.#isMoved) await pause(POLL_MS, undefined);
    }
  }

  /** The mover died in its switch: writers go on, and another run of the move finds what they do in the log. */
  async #reopen(access: Access): Promise<void> {
    const { gate, source } = this;
    const row = await readMove(source, gate.tables.moves, gate.name, access);
    await changeMove(source, gate.tables.moves, gate.name, row, { announces: '', mover: null }, access);
    await gate.turn('closed', 'copying', access);
  }
}
