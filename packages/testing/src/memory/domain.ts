/**
 * The transaction domain of memory stores: the tables, the locks, and `begin`. Several memory stores given one domain
 * commit together, like several models on one PostgreSQL.
 */
import {
  type Capabilities,
  ConfigurationError,
  type EntityModel,
  type TransactionDomain,
  type TransactionOptions,
} from '@storeweave/core';
import { FenceTable } from './fence-table.js';
import { LockTable } from './locks.js';
import { type Committed, enterUnique, Table, tableName, uniqueKey, uniqueRules } from './tables.js';
import { MemoryTransaction } from './transaction.js';
import type { Stored } from './values.js';

export interface MemoryDomainOptions {
  /** For messages; default `memory`. */
  readonly name?: string;
  /** What its transactions can do; `undefined` given explicitly: there are none. */
  readonly transactions?: Capabilities['transactions'];
}

const everything: Capabilities['transactions'] = { isolation: ['read committed', 'repeatable read'], savepoints: true };

export class MemoryDomain implements TransactionDomain, Committed {
  readonly name: string;
  readonly transactions: Capabilities['transactions'];
  readonly locks = new LockTable();
  readonly fences = new FenceTable();
  readonly begin?: (options: TransactionOptions) => Promise<MemoryTransaction>;
  /** Columns of each table that a schema change has made. */
  readonly declared = new Map<string, Set<string>>();
  readonly #tables = new Map<string, Table>();
  #snapshots = 0;
  #number = 0;

  constructor(options: MemoryDomainOptions = {}) {
    this.name = options.name ?? 'memory';
    this.transactions = 'transactions' in options ? options.transactions : everything;
    if (this.transactions !== undefined) this.begin = async (given) => this.start(given);
  }

  /** A transaction, also for the single calls of a store without transactions. `unitOfWork`: whose fences it passes. */
  start(options: TransactionOptions, unitOfWork?: string): MemoryTransaction {
    const isolation = options.isolation ?? 'read committed';
    if (isolation !== 'read committed' && this.transactions?.isolation.includes(isolation) !== true)
      throw new ConfigurationError(`The domain ${this.name} has no isolation level '${isolation}'.`);
    this.#number++;
    const transaction: MemoryTransaction = new MemoryTransaction(this, options, isolation, this.#number, unitOfWork);
    if (this.transactions?.savepoints === false)
      Object.assign(transaction, { savepoint: undefined, rollbackTo: undefined, release: undefined });
    return transaction;
  }

  /** Ends every running transaction without effect, as a database does with those of a process that died. */
  abandonAll(): void {
    this.locks.owners().forEach((owner) => void (owner instanceof MemoryTransaction && owner.rollback()));
  }

  table(entity: EntityModel): Table {
    const name = tableName(entity);
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new Table(name);
      this.#tables.set(name, table);
    }
    return table;
  }

  drop(name: string): void {
    this.#tables.delete(name);
    this.declared.delete(name);
  }

  tableNames(): string[] {
    return [...this.#tables.keys()];
  }

  /** Makes the changes of a transaction the committed state. */
  install(name: string, entity: EntityModel, changes: ReadonlyMap<string, Stored | null>): void {
    const table = this.#tables.get(name) ?? this.table(entity);
    // Whoever reads from a snapshot keeps the old map.
    if (this.#snapshots > 0) table.rows = new Map(table.rows);
    const rules = uniqueRules(entity);
    for (const [identity, row] of changes) {
      const before = table.rows.get(identity);
      for (const rule of rules) {
        const old = before === undefined ? undefined : uniqueKey(rule, before);
        if (old !== undefined) table.unique.get(rule.name)?.get(old)?.delete(identity);
        const key = row === null ? undefined : uniqueKey(rule, row);
        if (key !== undefined) enterUnique(table.unique, rule, key, identity);
      }
      if (row === null) table.rows.delete(identity);
      else table.rows.set(identity, row);
    }
  }

  takeSnapshot(): Map<string, ReadonlyMap<string, Stored>> {
    this.#snapshots++;
    return new Map([...this.#tables].map(([name, table]) => [name, table.rows]));
  }

  dropSnapshot(): void {
    this.#snapshots--;
  }
}

/** A domain for several memory stores to share. */
export function memoryDomain(options?: MemoryDomainOptions): MemoryDomain {
  return new MemoryDomain(options);
}
