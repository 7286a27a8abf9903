/**
 * A transaction of a memory domain: what it wrote lies over what is committed until `commit()`. Reads see the newest
 * committed rows (read committed) or those of the beginning (repeatable read), under its own changes.
 */
import {
  AbortedError,
  type EntityModel,
  InvalidStateError,
  type IsolationLevel,
  ReadOnlyError,
  type Row,
  rowKey,
  SerializationError,
  TimeoutError,
  type Transaction,
  type TransactionDomain,
  type TransactionOptions,
  UniqueViolationError,
  valueKey,
} from '@storeweave/core';
import type { LockOwner } from './locks.js';
import {
  type Committed,
  enterUnique,
  identityOf,
  type Table,
  type UniqueIndex,
  type UniqueRule,
  uniqueKey,
  uniqueRules,
} from './tables.js';
import { cell, type Stored } from './values.js';

/** Changes to one table: a stored row, or null for a deleted one. */
interface Layer {
  readonly entity: EntityModel;
  rows: Map<string, Stored | null>;
  readonly unique: UniqueIndex;
}

type Layers = Map<string, Layer>;

export class MemoryTransaction implements Transaction, LockOwner {
  readonly label: string;
  #state: 'running' | 'over' | 'timed out' = 'running';
  #layers: Layers = new Map();
  readonly #savepoints = new Map<string, Layers>();
  readonly #effects: (() => void)[] = [];
  readonly #snapshot: Map<string, ReadonlyMap<string, Stored>> | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly domain: TransactionDomain & Committed,
    readonly options: TransactionOptions,
    readonly isolation: IsolationLevel,
    number: number,
    private readonly unitOfWork?: string,
  ) {
    this.label = options.label ?? `transaction ${number} of ${domain.name}`;
    if (isolation === 'repeatable read') this.#snapshot = domain.takeSnapshot();
    if (options.timeoutMs !== undefined)
      this.#timer = setTimeout(() => {
        if (this.#state === 'running') this.#end('timed out');
      }, options.timeoutMs).unref();
  }

  async commit(): Promise<void> {
    this.check();
    for (const [name, layer] of this.#layers) this.domain.install(name, layer.entity, layer.rows);
    for (const effect of this.#effects) effect();
    this.#end('over');
  }

  /** Has an effect together with the commit. */
  atCommit(effect: () => void): void {
    this.check();
    this.#effects.push(effect);
  }

  async rollback(): Promise<void> {
    if (this.#state === 'running') this.#end('over');
  }

  async savepoint(name: string): Promise<void> {
    this.check();
    this.#savepoints.set(name, copyLayers(this.#layers));
  }

  async rollbackTo(name: string): Promise<void> {
    this.check();
    this.#layers = copyLayers(this.#known(name));
  }

  async release(name: string): Promise<void> {
    this.check();
    this.#known(name);
    this.#savepoints.delete(name);
  }

  /** Throws if the transaction is over, out of time or told to stop. */
  check(): void {
    if (this.#state === 'timed out')
      throw new TimeoutError(`${this.label} ran longer than its ${this.options.timeoutMs} ms and was rolled back.`);
    if (this.#state === 'over') throw new InvalidStateError(`${this.label} is over: it was committed or rolled back.`);
    if (this.options.signal?.aborted)
      throw new AbortedError(`The signal ended ${this.label}.`, { cause: this.options.signal.reason });
  }

  *rows(entity: EntityModel): Generator<Stored> {
    const layer = this.#layers.get(this.#table(entity).name);
    for (const [identity, row] of this.#base(entity)) {
      if (layer?.rows.has(identity) !== true) yield row;
    }
    for (const row of layer?.rows.values() ?? []) if (row !== null) yield row;
  }

  row(entity: EntityModel, identity: string): Stored | undefined {
    const layered = this.#layers.get(this.#table(entity).name)?.rows.get(identity);
    if (layered !== undefined) return layered ?? undefined;
    return this.#base(entity).get(identity);
  }

  /** Waits until no other transaction has changed this row without having ended. */
  async lockRow(
    entity: EntityModel,
    identity: string,
    wait: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<void> {
    await this.#lock(`row ${this.#table(entity).name} ${identity}`, wait);
    if (this.#snapshot === undefined) return;
    const name = this.#table(entity).name;
    if (this.#snapshot.get(name)?.get(identity) !== this.#table(entity).rows.get(identity))
      throw new SerializationError(
        `A row of ${entity.name} was changed since ${this.label} began. Do the unit of work again.`,
        {
          entity: entity.name,
        },
      );
  }

  async lockKey(entity: EntityModel, key: Row, wait: { signal?: AbortSignal; timeoutMs?: number }): Promise<void> {
    await this.lockRow(entity, rowKey(key), wait);
  }

  async lockUnique(
    entity: EntityModel,
    rule: UniqueRule,
    key: string,
    wait: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<void> {
    await this.#lock(`unique ${this.#table(entity).name} ${rule.name} ${key}`, wait);
  }

  put(entity: EntityModel, row: Stored): void {
    const identity = identityOf(entity, row);
    const layer = this.#layer(entity);
    layer.rows.set(identity, row);
    for (const rule of uniqueRules(entity)) {
      const key = uniqueKey(rule, row);
      if (key !== undefined) enterUnique(layer.unique, rule, key, identity);
    }
  }

  remove(entity: EntityModel, identity: string): void {
    this.#layer(entity).rows.set(identity, null);
  }

  /** Identities of the rows that have this unique value now. */
  holders(entity: EntityModel, rule: UniqueRule, key: string): string[] {
    const table = this.#table(entity);
    const layer = this.#layers.get(table.name);
    const candidates = new Set([
      ...(layer?.unique.get(rule.name)?.get(key) ?? []),
      ...(table.unique.get(rule.name)?.get(key) ?? []),
    ]);
    return [...candidates].filter((identity) => {
      const row = layer?.rows.has(identity) === true ? layer.rows.get(identity) : table.rows.get(identity);
      return row !== undefined && row !== null && uniqueKey(rule, row) === key;
    });
  }

  checkUnique(entity: EntityModel, row: Stored): void {
    for (const rule of uniqueRules(entity)) {
      const key = uniqueKey(rule, row);
      if (key === undefined || this.holders(entity, rule, key).length < 2) continue;
      const what = rule.fields.map((field) => `${field.name} ${valueKey(cell(row, field)).slice(1)}`).join(', ');
      throw new UniqueViolationError(`Another ${entity.name} has ${what}. Choose another value or upsert.`, {
        entity: entity.name,
        property: rule.fields.map((field) => field.name).join(),
        constraint: rule.name,
      });
    }
  }

  /** Does `work` or leaves no trace of it. */
  async statement<R>(work: () => Promise<R>): Promise<R> {
    this.check();
    if (this.options.readOnly) throw new ReadOnlyError(`${this.label} is read-only: nothing can be written in it.`);
    const before = copyLayers(this.#layers);
    try {
      const result = await work();
      this.check();
      return result;
    } catch (error) {
      this.#layers = before;
      throw error;
    }
  }

  async #lock(name: string, wait: { signal?: AbortSignal; timeoutMs?: number }): Promise<void> {
    await this.domain.locks.take(name, this, {
      signal: wait.signal ?? this.options.signal,
      timeoutMs: wait.timeoutMs ?? this.options.timeoutMs,
    });
    this.check();
    this.domain.fences.check(name, this.unitOfWork);
  }

  #table(entity: EntityModel): Table {
    return this.domain.table(entity);
  }

  #base(entity: EntityModel): ReadonlyMap<string, Stored> {
    const table = this.#table(entity);
    return this.#snapshot === undefined ? table.rows : (this.#snapshot.get(table.name) ?? new Map());
  }

  #layer(entity: EntityModel): Layer {
    const { name } = this.#table(entity);
    let layer = this.#layers.get(name);
    if (layer === undefined) {
      layer = { entity, rows: new Map(), unique: new Map() };
      this.#layers.set(name, layer);
    }
    return layer;
  }

  #known(name: string): Layers {
    const layers = this.#savepoints.get(name);
    if (layers === undefined) throw new InvalidStateError(`${this.label} has no savepoint ${name}.`);
    return layers;
  }

  #end(state: 'over' | 'timed out'): void {
    this.#state = state;
    clearTimeout(this.#timer);
    this.#layers = new Map();
    if (this.#snapshot !== undefined) this.domain.dropSnapshot();
    this.domain.locks.releaseAll(this);
  }
}

// Unique entries are shared between copies: they may be stale anyway.
function copyLayers(layers: Layers): Layers {
  return new Map([...layers].map(([name, layer]) => [name, { ...layer, rows: new Map(layer.rows) }]));
}
