/**
 * The gate between an entity's writers and its move. A writer passes it inside its own transaction, by a lock or a write
 * that whoever turns the gate conflicts with; so when the gate has turned, no writer is left that saw it as it was before.
 * Beside it the log of touched keys, which is written in the same transactions and can therefore not miss one.
 */
import { inTurn } from '../../commit/turns.js';
import { InvalidStateError, UniqueViolationError } from '../../errors/errors.js';
import { timeOrderedId } from '../../hydrate/time-ordered-id.js';
import type { EntityModel, IndexModel } from '../../model/entity-model.js';
import type { Field, Row, Value } from '../../model/field.js';
import { decodeCursor, encodeCursor } from '../../query/cursor.js';
import { keysIn } from '../../query/logic.js';
import type { Access } from '../../store/access.js';
import type { Condition } from '../../store/condition.js';
import type { Store } from '../../store/store.js';
import type { GateTables } from './gate-tables.js';
import { countOf, keyOrder } from './pages.js';

/**
 * `idle`: no move is under way. `copying`: writers log what they touch. `closed`: nobody writes, the switch is at work.
 * `moved`: the entity lives in the target.
 */
export type GateState = 'idle' | 'copying' | 'closed' | 'moved';

/** Where no rows can be locked for sharing, writers touch one of so many rows, so that few of them meet. */
const SLOTS = 16;

/** One logged key. */
export interface Change {
  readonly id: Value;
  readonly entity: string;
  readonly key: string;
}

export class Gate {
  readonly #slots: readonly string[];

  constructor(
    /** Name of the entity that is moved. */
    readonly name: string,
    readonly tables: GateTables,
    private readonly store: Store,
  ) {
    const count = store.capabilities.rowLocks ? 1 : SLOTS;
    this.#slots = Array.from({ length: count }, (_, at) => `${name}/${at}`);
  }

  /** Makes the rows that are not there; many processes may do so at once. */
  async prepare(access: Access): Promise<void> {
    const { gates, moves } = this.tables;
    await this.#ensure(moves, [[this.name]], (key) => [...key, '', null, 0, null, 1], access);
    const slots = this.#slots.map((id) => [id]);
    await this.#ensure(gates, slots, (key) => [...key, 'idle', 0, 1], access);
  }

  /** What the gate says now; without a lock, so that it may turn at any time. */
  async peek(access: Access): Promise<GateState> {
    return this.#stateOf(await this.#readSlots(this.#slots.slice(0, 1), access));
  }

  /** Passes the gate inside the transaction of `access`: until its end the gate does not turn. */
  async enter(access: Access): Promise<GateState> {
    if (this.store.capabilities.rowLocks) return this.#stateOf(await this.#readSlots(this.#slots, access, 'share'));
    const slot = this.#slots[Math.floor(Math.random() * this.#slots.length)] ?? '';
    const { gates } = this.tables;
    const touched = fieldsOf(gates, ['touched']);
    const mark = Math.floor(Math.random() * 2 ** 31);
    await this.store.write({ op: 'update', entity: gates, fields: touched, keys: [[slot]], rows: [[mark]] }, access);
    return this.#stateOf(await this.#readSlots([slot], access));
  }

  /**
   * Turns the gate when every writer that has passed it is through. Returns its new version; undefined where it is in
   * another state than `from`, or has another version than `expected`.
   */
  async turn(from: GateState, to: GateState, access: Access, expected?: number): Promise<number | undefined> {
    const { gates } = this.tables;
    const transaction = await this.store.domain.begin?.(access);
    const within: Access = { ...access, ...(transaction && { transaction }) };
    let version: number | undefined;
    try {
      const rows = await this.#readSlots(this.#slots, within, this.store.capabilities.rowLocks ? 'update' : undefined);
      const current = Number(rows[0]?.[2]);
      const fits = rows.every(([, state, own]) => state === from && own === (expected ?? current));
      if (rows.length === this.#slots.length && fits) {
        const { missed = [] } = await this.store.write(
          {
            op: 'update',
            entity: gates,
            fields: fieldsOf(gates, ['state', 'touched', 'version']),
            keys: this.#slots.map((id) => [id]),
            rows: this.#slots.map(() => [to, 0, current + 1]),
            versions: this.#slots.map(() => current),
          },
          within,
        );
        if (missed.length === 0) version = current + 1;
      }
      if (transaction !== undefined) {
        await inTurn(transaction, () => (version === undefined ? transaction.rollback() : transaction.commit()));
      }
      return version;
    } catch (error) {
      if (transaction !== undefined) await inTurn(transaction, () => transaction.rollback());
      throw error;
    }
  }

  /** Logs keys, in the transaction of `access` where there is one. */
  async record(entity: EntityModel, keys: readonly Row[], access: Access): Promise<void> {
    if (keys.length === 0) return;
    const { changes } = this.tables;
    const order = keyOrder(entity);
    const rows = keys.map((key) => [timeOrderedId(), this.name, entity.name, encodeCursor(entity, order, key)]);
    await this.store.write({ op: 'insert', entity: changes, fields: changes.fields, rows }, access);
  }

  /** How many keys are logged now. */
  async pending(access: Access): Promise<number> {
    return countOf(this.store, this.tables.changes, access, this.#own);
  }

  /** The oldest logged keys. One that is logged later may have an earlier id, so nothing is skipped by id. */
  async changes(limit: number, access: Access): Promise<Change[]> {
    const { changes } = this.tables;
    const rows = await this.store.read(
      {
        entity: changes,
        fields: fieldsOf(changes, ['id', 'entity', 'key']),
        where: this.#own,
        order: keyOrder(changes),
        limit,
      },
      access,
    );
    return rows.map(([id, entity, key]) => ({ id, entity: String(entity), key: String(key) }));
  }

  /** Takes logged keys out of the log. */
  async forget(changes: readonly Change[], access: Access): Promise<void> {
    if (changes.length === 0) return;
    const keys = changes.map(({ id }) => [id]);
    await this.store.write({ op: 'delete', entity: this.tables.changes, keys }, access);
  }

  /** The key that was logged. */
  keyOf(entity: EntityModel, { key }: Change): Row {
    return decodeCursor(entity, keyOrder(entity), key, 'key');
  }

  /** Without a row there is nothing to lock, and a writer that went on would be missed. */
  #stateOf([row]: readonly Row[]): GateState {
    if (row !== undefined) return row[1] as GateState;
    throw new InvalidStateError(
      `The rows of the move of ${this.name} are gone from "${this.tables.gates.source}". Open the application again with the move declared, and run the move from the start.`,
      { entity: this.name, store: this.tables.gates.store },
    );
  }

  /** Keys that were logged for this move. */
  get #own(): Condition {
    const { changes } = this.tables;
    return keysIn(fieldsOf(changes, ['move']), [[this.name]]);
  }

  #readSlots(slots: readonly string[], access: Access, lock?: 'update' | 'share'): Promise<Row[]> {
    const { gates } = this.tables;
    return this.store.read(
      {
        entity: gates,
        fields: fieldsOf(gates, ['id', 'state', 'version']),
        where: keysIn(
          gates.ids,
          slots.map((id) => [id]),
        ),
        order: keyOrder(gates),
        ...(lock && { lock }),
      },
      access,
    );
  }

  async #ensure(entity: EntityModel, keys: readonly Row[], make: (key: Row) => Row, access: Access): Promise<void> {
    const where = keysIn(entity.ids, keys);
    const present = await this.store.read({ entity, fields: entity.ids, where }, access);
    const known = new Set(present.map(([id]) => id));
    const rows = keys.filter(([id]) => !known.has(id)).map(make);
    if (rows.length === 0) return;
    try {
      await this.store.write({ op: 'insert', entity, fields: entity.fields, rows }, access);
    } catch (error) {
      if (!(error instanceof UniqueViolationError)) throw error;
      await this.#ensure(entity, keys, make, access);
    }
  }
}

/** Fields by name, in this order. */
export function fieldsOf(entity: EntityModel, names: readonly string[]): Field[] {
  return names.flatMap((name) => entity.fieldsByName.get(name) ?? []);
}

/** Indexes whose values two rows cannot share, beside the identity. */
export function uniqueIndexes(entity: EntityModel): readonly IndexModel[] {
  return entity.indexes.filter(({ unique, fields }) => unique && !fields.every((field) => field.id));
}
