/**
 * Who moves an entity: one mover at a time. It holds the move's row by beating, that is by writing the row again and
 * again; a mover whose row has not changed for the length of its lease is dead, and another may go on where it was.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { pause } from '../../commit/waiting.js';
import { InvalidStateError } from '../../errors/errors.js';
import type { EntityModel } from '../../model/entity-model.js';
import type { Value } from '../../model/field.js';
import type { Access } from '../../store/access.js';
import type { Store } from '../../store/store.js';
import { fieldsOf } from './gate.js';

/** The move's row. */
export interface MoveRow {
  /** `closing`: writers are asked to hold back, so that the gate can close. */
  readonly announces: '' | 'closing';
  /** Who moves; null where nobody does. */
  readonly mover: string | null;
  /** Milliseconds without a change after which the mover is dead. */
  readonly lease: number;
  /** How far the copy is; null where there is none. */
  readonly copied: string | null;
  /** Plus 1 with each change. */
  readonly version: number;
}

const COLUMNS = ['announces', 'mover', 'lease', 'copied', 'version'] as const;

export async function readMove(store: Store, moves: EntityModel, name: string, access: Access): Promise<MoveRow> {
  const [id] = moves.ids;
  if (id === undefined) throw new InvalidStateError(`${moves.name} has no id.`);
  const where = { op: 'eq' as const, on: { field: id }, value: name };
  const [row] = await store.read({ entity: moves, fields: fieldsOf(moves, COLUMNS), where }, access);
  const [announces, mover, lease, copied, version] = row ?? [];
  return {
    announces: announces === 'closing' ? announces : '',
    mover: text(mover),
    lease: Number(lease ?? 0),
    copied: text(copied),
    version: Number(version ?? 0),
  };
}

/** Writes the row if it still has the version of `row`; the row as it then is, undefined if someone else was quicker. */
export async function changeMove(
  store: Store,
  moves: EntityModel,
  name: string,
  row: MoveRow,
  change: Partial<MoveRow>,
  access: Access,
): Promise<MoveRow | undefined> {
  const next: MoveRow = { ...row, ...change, version: row.version + 1 };
  const { missed = [] } = await store.write(
    {
      op: 'update',
      entity: moves,
      fields: fieldsOf(moves, COLUMNS),
      keys: [[name]],
      rows: [COLUMNS.map((column) => next[column])],
      versions: [row.version],
    },
    access,
  );
  return missed.length === 0 ? next : undefined;
}

export class Tenure {
  readonly #mover = randomUUID();
  readonly #ended = new AbortController();
  #row: MoveRow | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #beaten = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Circumstances of every call of this mover: they end with its tenure, or when its caller says so. */
  readonly access: Access;
  /** Of the calls on its own row, which go on to the end of its tenure. */
  readonly #own: Access;

  constructor(
    private readonly name: string,
    private readonly store: Store,
    private readonly moves: EntityModel,
    private readonly leaseMs: number,
    label: string,
    signal: AbortSignal | undefined,
  ) {
    const ended = this.#ended.signal;
    setMaxListeners(0, ended);
    this.access = { label, signal: signal === undefined ? ended : AbortSignal.any([ended, signal]) };
    this.#own = { label, signal: ended, timeoutMs: leaseMs };
  }

  get copied(): string | null {
    return this.#row?.copied ?? null;
  }

  /** Begins, after a dead mover too. Throws `InvalidStateError` where a living one is at work. */
  async begin(): Promise<void> {
    const { store, moves, name, leaseMs } = this;
    let row = await readMove(store, moves, name, this.#own);
    if (row.mover !== null) {
      const since = performance.now();
      while (performance.now() - since < row.lease) {
        await pause(Math.min(200, row.lease), this.access.signal);
        const now = await readMove(store, moves, name, this.#own);
        if (now.mover === null) break;
        if (now.version !== row.version) throw this.#taken();
      }
      row = await readMove(store, moves, name, this.#own);
    }
    this.#row = await changeMove(store, moves, name, row, { mover: this.#mover, lease: leaseMs }, this.#own);
    if (this.#row === undefined) throw this.#taken();
    this.#beaten = performance.now();
    this.#timer = setInterval(() => void this.save({}).catch(() => {}), leaseMs / 5);
  }

  /** Changes the row, after the changes before. Throws `InvalidStateError` where another mover has taken over. */
  save(change: Partial<Pick<MoveRow, 'announces' | 'copied' | 'mover'>>): Promise<void> {
    const saved = this.#last.then(async () => {
      if (this.#row === undefined) throw this.#taken();
      const began = performance.now();
      const next = await changeMove(this.store, this.moves, this.name, this.#row, change, this.#own);
      this.#row = next ?? (await this.#again(change));
      this.#beaten = began;
    });
    this.#last = saved.catch(() => {});
    return saved;
  }

  /** Throws where this mover can no longer be sure that it is the only one. To be called before each write. */
  check(): void {
    if (this.#ended.signal.aborted || performance.now() - this.#beaten > this.leaseMs * 0.6) {
      this.#ended.abort(this.#taken());
      throw this.#taken();
    }
  }

  /** Lets go. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#row !== undefined) await this.save({ mover: null, announces: '' }).catch(() => {});
    this.#row = undefined;
    this.#ended.abort(this.#taken());
  }

  /** A held writer may have taken the announcement back: that is no other mover. */
  async #again(change: Partial<MoveRow>): Promise<MoveRow> {
    const row = await readMove(this.store, this.moves, this.name, this.#own);
    const next =
      row.mover === this.#mover
        ? await changeMove(this.store, this.moves, this.name, row, change, this.#own)
        : undefined;
    if (next !== undefined) return next;
    this.#row = undefined;
    this.#ended.abort(this.#taken());
    throw this.#taken();
  }

  #taken(): InvalidStateError {
    return new InvalidStateError(
      `Another process is moving ${this.name}. Wait for its end, or end it; it counts as dead when it has shown no sign of life for its lease (${this.leaseMs} ms).`,
      { entity: this.name },
    );
  }
}

function text(value: Value): string | null {
  return typeof value === 'string' ? value : null;
}
