/**
 * The transaction domain under a chaos store. Beside the rules of its plan it can restart: running transactions are
 * then lost. A forgetful domain acknowledges commits without flushing them, by keeping one transaction of the inner
 * domain open and every transaction of its own as a savepoint in it; a restart loses what was not flushed.
 */
import {
  type Access,
  ConfigurationError,
  ConnectionError,
  InvalidStateError,
  type Transaction,
  type TransactionDomain,
  type TransactionOptions,
} from '@storeweave/core';
import type { ChaosCall, ChaosPlan } from './plan.js';

export class ChaosDomain implements TransactionDomain {
  readonly name: string;
  readonly exclusive: boolean;
  readonly begin?: (options: TransactionOptions) => Promise<ChaosTransaction>;
  /** Grows with each restart; a transaction of an earlier life is lost. */
  life = 0;
  #unflushed: Transaction | undefined;
  #isForgetful = false;
  #savepoints = 0;
  #turn: Promise<void> = Promise.resolve();
  readonly #running = new Set<Transaction>();

  constructor(
    readonly inner: TransactionDomain,
    readonly plan: ChaosPlan,
  ) {
    this.name = inner.name;
    this.exclusive = inner.exclusive === true;
    const { begin } = inner;
    if (begin !== undefined)
      this.begin = (options) =>
        plan.around('begin', '', options, () => this.#begin(options, (given) => begin.call(inner, given)));
  }

  /** From now on a commit is acknowledged before it is durable. */
  forgetful(): void {
    this.#isForgetful = true;
  }

  /** Makes durable what was acknowledged. */
  async flush(): Promise<void> {
    const unflushed = this.#unflushed;
    this.#unflushed = undefined;
    await unflushed?.commit();
  }

  /** The server dies and comes back: running transactions and what was not flushed are gone. */
  async restart(): Promise<void> {
    this.life++;
    const lost = [...this.#running, ...(this.#unflushed === undefined ? [] : [this.#unflushed])];
    this.#running.clear();
    this.#unflushed = undefined;
    this.#turn = Promise.resolve();
    for (const transaction of lost) await transaction.rollback();
  }

  /** The inner store's circumstances of a call, given those of the chaos store. */
  access(given: Access): Access {
    const { transaction } = given;
    if (transaction === undefined)
      return this.#unflushed === undefined ? given : { ...given, transaction: this.#unflushed };
    if (!(transaction instanceof ChaosTransaction) || transaction.domain !== this)
      throw new ConfigurationError(`The domain ${this.name} was given a transaction of ${transaction.domain.name}.`);
    transaction.check();
    return { ...given, transaction: transaction.inner };
  }

  async #begin(
    options: TransactionOptions,
    begin: (options: TransactionOptions) => Promise<Transaction>,
  ): Promise<ChaosTransaction> {
    if (!this.#isForgetful) {
      const inner = await begin(options);
      this.#running.add(inner);
      return new ChaosTransaction(this, inner, {
        commit: () => inner.commit().finally(() => this.#running.delete(inner)),
        rollback: () => inner.rollback().finally(() => this.#running.delete(inner)),
      });
    }
    // One at a time: they are savepoints of the same transaction.
    const before = this.#turn;
    let done: () => void = () => {};
    this.#turn = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    this.#unflushed ??= await begin({ label: 'not yet flushed' });
    const inner = this.#unflushed;
    if (inner.savepoint === undefined)
      throw new ConfigurationError(
        `The domain ${this.name} has no savepoints, so a chaos store cannot make it forgetful.`,
      );
    this.#savepoints++;
    const name = `chaos_${this.#savepoints}`;
    await inner.savepoint(name);
    return new ChaosTransaction(this, inner, {
      commit: async () => {
        await inner.release?.(name);
        done();
      },
      rollback: async () => {
        await inner.rollbackTo?.(name);
        done();
      },
    });
  }
}

export class ChaosTransaction implements Transaction {
  readonly savepoint?: (name: string) => Promise<void>;
  readonly rollbackTo?: (name: string) => Promise<void>;
  readonly release?: (name: string) => Promise<void>;
  readonly #life: number;
  readonly #end: { commit(): Promise<void>; rollback(): Promise<void> };
  #isOver = false;

  constructor(
    readonly domain: ChaosDomain,
    readonly inner: Transaction,
    end: { commit(): Promise<void>; rollback(): Promise<void> },
  ) {
    this.#life = domain.life;
    this.#end = end;
    if (inner.savepoint !== undefined)
      this.savepoint = (name) => this.#call('savepoint', async () => inner.savepoint?.(name));
    if (inner.rollbackTo !== undefined)
      this.rollbackTo = (name) => this.#call('rollbackTo', async () => inner.rollbackTo?.(name));
    if (inner.release !== undefined) this.release = (name) => this.#call('release', async () => inner.release?.(name));
  }

  async commit(): Promise<void> {
    this.check();
    await this.domain.plan.around('commit', '', {}, async () => {
      this.check();
      this.#isOver = true;
      await this.#end.commit();
    });
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#life !== this.domain.life) return;
    // A rollback that cannot reach the server is none the less a rollback: the server ends the transaction by itself.
    await this.domain.plan.around('rollback', '', {}, async () => {}).catch(() => {});
    await this.#end.rollback();
  }

  check(): void {
    if (this.#life !== this.domain.life)
      throw new ConnectionError(
        `The server of ${this.domain.name} was restarted, and the transaction is lost. Do it again.`,
      );
    if (this.#isOver) throw new InvalidStateError(`The transaction of ${this.domain.name} is over.`);
  }

  async #call(call: ChaosCall, work: () => Promise<void>): Promise<void> {
    this.check();
    await this.domain.plan.around(call, '', {}, work);
  }
}
