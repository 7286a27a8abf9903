/**
 * The native transactions of one unit of work: one for each transaction domain that it has touched, begun at the first
 * touch. One domain is atomic by nature. Changes in several are committed by the engine (`across`), which is given what
 * was written in each; or, where the caller settled for best effort, one after the other, and then a failure says which
 * of them had been committed.
 */
import {
  CapabilityError,
  CommitUnknownError,
  ConfigurationError,
  InvalidStateError,
  PartialCommitError,
  ReadOnlyError,
} from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Access, Transaction, TransactionDomain, TransactionOptions } from '../store/access.js';
import type { Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';
import type { CommitPhase, Part } from './across/commit-across.js';
import { type AcrossOptions, type AcrossOutcome, type CommitEngine, WAIT_MS } from './across/engine.js';
import { RowsNeeded } from './across/rows-needed.js';
import { KeptWrites, NATIVE } from './kept-writes.js';
import type { PlannedWrite } from './planned-write.js';
import { failureOf, inTurn, mend } from './turns.js';
import { pause, untilAborted } from './waiting.js';

/** What is to be written where; `write` for a statement that does not go through a plan. */
export interface Intent {
  readonly store: Store;
  readonly entity: EntityModel;
  readonly operation: PlannedWrite['operation'] | 'write';
}

/** What a unit of work over several transaction domains is promised. */
export type Atomicity = 'atomic' | 'best-effort';

/** How much longer than its limit a COMMIT that is under way is waited for, in milliseconds. */
const COMMIT_GRACE_MS = 500;

/** What a row of a batch may take by itself, in milliseconds. */
const ROW_MS = 2;

export class DomainTransactions {
  readonly #running = new Map<TransactionDomain, Promise<Transaction>>();
  /** Domains that something was written to, in order. */
  readonly #written = new Set<TransactionDomain>();
  /** Domains without transactions that something was written to: nothing takes that back. */
  readonly #final = new Set<TransactionDomain>();
  /** Of domains beside the coordinator. */
  readonly #kept: KeptWrites | undefined;
  /** Batches of the coordinator's that are sent beside the fences, in order. */
  readonly #deferred: ((access: Access) => Promise<void>)[] = [];
  #isCommitting = false;
  #mayDefer = false;
  #isAcross = false;
  /** One database is written to, and in a way that takes a decision all the same: guards, or several writes of points. */
  #needsDecision = false;
  #isOver = false;

  constructor(
    private readonly unitOfWork: string,
    private readonly options: TransactionOptions,
    private readonly atomicity: Atomicity,
    private readonly engine?: CommitEngine,
    /** Changes by filter are made by row, so that a commit over several domains has them. */
    private readonly byRow = false,
  ) {
    this.#kept = engine && new KeptWrites(engine.topology);
  }

  /** The transaction of a store's domain, begun if need be; undefined where the store has none. */
  async join(store: Store, entity: EntityModel): Promise<Transaction | undefined> {
    const { domain } = store;
    this.#checkIsolation(store, entity);
    if (domain.begin === undefined) return undefined;
    if (this.#isOver) {
      throw new InvalidStateError(`This unit of work is over and begins no transaction on ${domain.name} any more.`);
    }
    let running = this.#running.get(domain);
    if (running === undefined) {
      const isDeciding = this.#isAcross && this.engine?.topology.isCoordinator(domain) === true;
      running = domain.begin(isDeciding ? { ...this.options, claim: this.unitOfWork } : this.options);
      this.#running.set(domain, running);
      // A failed begin is not remembered: the caller sees it, and a rollback has nothing to end.
      running.catch(() => this.#running.delete(domain));
    }
    return untilAborted(running, this.options.signal);
  }

  /** Refuses writes that could not be kept together, before any of them is sent. */
  admit(writes: readonly Intent[]): void {
    if (writes.length === 0) return;
    if (this.options.readOnly === true) {
      throw new ReadOnlyError(
        `This unit of work is read-only, but would ${writes[0]?.operation} ${writes[0]?.entity.name}. Open it without readOnly.`,
        { entity: writes[0]?.entity.name },
      );
    }
    const domains = new Set([...this.#written, ...writes.map((write) => write.store.domain)]);
    if (this.atomicity === 'best-effort') return;
    this.#isAcross = domains.size > 1;
    if (domains.size > 1) {
      const { engine } = this;
      if (engine !== undefined) {
        for (const domain of domains) this.#checkTakesPart(domain, engine);
        this.#checkNothingFinal(writes);
        return;
      }
      const names = [...domains].map((domain) => domain.name).join(', ');
      const entities = [...new Set(writes.map((write) => `${write.entity.name} (${write.entity.store})`))].join(', ');
      throw new ConfigurationError(
        `This unit of work changes ${entities} in several transaction domains (${names}), which cannot commit together. Use one unit of work for each, bind the stores to one database, or open with atomicity: 'best-effort'.`,
      );
    }
    const [domain] = domains;
    const waiting = this.#kept?.unsent.length ?? 0;
    if (domain !== undefined && domain.begin === undefined && writes.length + waiting + this.#final.size > 1) {
      if (this.#kept?.concerns(domain) === true && writes.every(({ operation }) => operation === 'insert')) {
        this.#checkNothingFinal(writes);
        this.#needsDecision = true;
        this.#isAcross = true;
        return;
      }
      throw new ConfigurationError(
        `This unit of work needs ${writes.length} writes in ${domain.name}, which has no transactions, so they could be kept in part. Write one entity and operation at a time, or open with atomicity: 'best-effort'.`,
      );
    }
  }

  /**
   * How long a write may take here, in milliseconds: what two units of work hold in two databases and want in the other's
   * nobody sees, so one of them has to give way. Each time another limit, so that it is not both.
   */
  waitLimit(domain: TransactionDomain, rows: number): number | undefined {
    const isAlone = this.#running.size === 0 || (this.#running.size === 1 && this.#running.has(domain));
    if (isAlone && this.#deferred.length === 0) return undefined;
    const waitMs = this.engine?.waitMs ?? WAIT_MS;
    return Math.ceil(waitMs * (0.75 + Math.random() / 2)) + rows * ROW_MS;
  }

  /** `what` was done in a way that cannot be kept, if it is given. */
  wrote(domain: TransactionDomain, what?: string): void {
    this.#written.add(domain);
    if (domain.begin === undefined) this.#final.add(domain);
    if (what !== undefined) this.touched(domain, what);
  }

  /** Whether rows of this domain are fenced in a commit over several. */
  takesFences(domain: TransactionDomain): boolean {
    return this.engine?.topology.kindOf(domain) === 'fence';
  }

  /** Has rows fenced until the decision, and not changed. */
  guard(store: Store, batch: WriteBatch): void {
    this.keep(store, batch, false);
    this.#needsDecision = true;
  }

  /** Whether changes by filter in this domain are to be made by row. */
  changesByRow(domain: TransactionDomain): boolean {
    return this.byRow && this.engine?.topology.kindOf(domain) === 'fence';
  }

  /** Something may have been written past the framework. */
  touched(domain: TransactionDomain, what = NATIVE): void {
    this.#kept?.lose(domain, what);
  }

  /** From now on changes are written for the last time: those of a commit over several domains are only kept. */
  startCommit(): void {
    this.#isCommitting = true;
  }

  /** Whether a batch is to be sent now. Where not, the commit sends it. */
  sendsNow(domain: TransactionDomain): boolean {
    if (this.#kept?.concerns(domain) !== true) return true;
    return domain.begin === undefined ? this.#isCommitting && !this.#isAcross : !(this.#isCommitting && this.#isAcross);
  }

  /** Notes a batch, sent or not, so that a commit over several domains has it. */
  keep(store: Store, batch: WriteBatch, isSent: boolean): void {
    if (this.#kept?.concerns(store.domain) !== true) return;
    this.#kept.add({ store, batch, isSent });
    if (!isSent) this.#written.add(store.domain);
  }

  /** From now on nobody needs to know how a write ended before the commit goes on. */
  allowDeferring(): void {
    this.#mayDefer = true;
  }

  /** Takes over a batch that the commit can send beside its fences. False where it is to be sent at once. */
  defer(write: PlannedWrite, send: (access: Access) => Promise<void>): boolean {
    const { store, entity } = write;
    if (!this.#mayDefer || !this.#isAcross || this.engine?.topology.isCoordinator(store.domain) !== true) return false;
    this.#checkIsolation(store, entity);
    this.#deferred.push(send);
    this.#written.add(store.domain);
    return true;
  }

  /** True while a rollback undoes everything that was written. */
  get canBeUndone(): boolean {
    return this.#final.size === 0;
  }

  /** Names what was kept, where a failure comes after a write that no rollback takes back. */
  explain(error: unknown): unknown {
    if (this.#final.size === 0 || error instanceof PartialCommitError) return error;
    const open = [...this.#written].filter((domain) => !this.#final.has(domain));
    return partial([...this.#final], open, this.#written, error);
  }

  /**
   * Commits what was written. Resolves with what became of each logical store beside the coordinator, where several
   * domains were written to.
   */
  async commit(
    options: AcrossOptions,
    stage: (stage: CommitPhase) => Promise<void>,
  ): Promise<AcrossOutcome | undefined> {
    const { engine } = this;
    const touched = new Set([...this.#written, ...(this.#kept?.lost.keys() ?? [])]);
    if (engine !== undefined && (touched.size > 1 || this.#needsDecision || this.#deferred.length > 0))
      return this.#commitAcross(engine, options, stage);
    for (const { store, batch } of this.#kept?.unsent ?? []) {
      await store.write(batch, { signal: this.options.signal, label: this.options.label });
      this.wrote(store.domain);
    }
    await stage('beforeDecide');
    await this.#commitEach();
    await stage('afterDecide');
    return undefined;
  }

  async #commitAcross(
    engine: CommitEngine,
    options: AcrossOptions,
    stage: (stage: CommitPhase) => Promise<void>,
  ): Promise<AcrossOutcome | undefined> {
    const { signal } = this.options;
    for (const domain of new Set([...this.#written, ...(this.#kept?.lost.keys() ?? [])]))
      this.#checkTakesPart(domain, engine);
    const lost = this.#kept?.lost ?? new Map<TransactionDomain, string>();
    if (lost.size > 0 && !this.byRow && this.#kept?.couldBeByRow === true) throw new RowsNeeded();
    for (const [domain, what] of lost) {
      throw new CapabilityError(
        `This unit of work changes several databases, and did ${what} in ${domain.name}, which cannot be repeated there after the decision. Load the entities and change them, or do it in a unit of work of its own.`,
      );
    }
    const { store } = engine.topology.coordination;
    const parts = await this.#parts(engine);
    const { unitOfWork } = this;
    const begun = this.#running.get(store.domain) ?? store.domain.begin?.({ ...this.options, claim: unitOfWork });
    if (begun === undefined)
      throw new InvalidStateError(`${store.domain.name} coordinates, but begins no transaction.`);
    this.#running.set(store.domain, begun);
    const transaction = await untilAborted(begun, signal);
    this.#isOver = true;
    const { label } = this.options;
    const access: Access = { transaction, ...(signal && { signal }), ...(label !== undefined && { label }) };
    const writeOwn = async () => {
      for (const send of this.#deferred) await send(access);
    };
    for (const domain of [...this.#running.keys()]) {
      if (domain === store.domain || parts.some((part) => part.transaction?.domain === domain)) continue;
      await this.#end(domain);
    }
    if (parts.length === 0) {
      await writeOwn();
      await stage('beforeDecide');
      await this.#commitEach();
      await stage('afterDecide');
      return undefined;
    }
    const outcomes = await engine.commit(
      {
        unitOfWork,
        transaction,
        writeOwn,
        parts,
        ...(signal && { signal }),
        stage,
        decide: (commit) => this.#commitOne(transaction, commit),
        rollback: () => this.rollback(),
      },
      options,
    );
    this.#running.clear();
    return outcomes;
  }

  /** What each store beside the coordinator is to be asked for. */
  async #parts(engine: CommitEngine): Promise<Part[]> {
    const parts = (await this.#kept?.parts()) ?? [];
    for (const participation of engine.topology.all()) {
      const { domain } = participation.store;
      if (participation.kind !== 'prepare' || !this.#written.has(domain)) continue;
      // Stores of one database share a transaction, which is prepared once.
      if (parts.some((part) => part.transaction?.domain === domain)) continue;
      const transaction = await this.#running.get(domain);
      if (transaction !== undefined) parts.push({ participation, batches: [], transaction });
    }
    return parts;
  }

  /** Refuses to go on over several domains where something was, or would be, written that no rollback takes back. */
  #checkNothingFinal(writes: readonly Intent[]): void {
    const [written] = this.#final;
    const direct = writes.find(({ store, operation }) => operation === 'write' && store.domain.begin === undefined);
    const domain = written ?? direct?.store.domain;
    if (domain === undefined) return;
    throw new CapabilityError(
      `This unit of work changes several databases, and ${written === undefined ? 'would change' : 'has changed'} points in ${domain.name} other than by adding them, which takes effect at once. Do that in a unit of work of its own.`,
    );
  }

  #checkTakesPart(domain: TransactionDomain, engine: CommitEngine): void {
    const { topology } = engine;
    if (topology.isCoordinator(domain) || topology.kindOf(domain) !== undefined) return;
    throw new ConfigurationError(
      `This unit of work changes several transaction domains, and ${domain.name} cannot take part in a commit with ${topology.coordination.store.domain.name}: its store declares neither fences nor prepared transactions (for PostgreSQL, set max_prepared_transactions above 0). Use one unit of work for each, bind the stores to one database, or open with atomicity: 'best-effort'.`,
    );
  }

  /** Ends one domain's transaction without effect. */
  async #end(domain: TransactionDomain): Promise<void> {
    const running = this.#running.get(domain);
    this.#running.delete(domain);
    await running?.then(
      (begun) => inTurn(begun, () => begun.rollback()),
      () => {},
    );
  }

  /** Commits one domain after the other; those only read first, so that their failure costs nothing. */
  async #commitEach(): Promise<void> {
    this.#isOver = true;
    const committed: TransactionDomain[] = [...this.#final];
    const domains = [...this.#running.keys()].sort(
      (a, b) => Number(this.#written.has(a)) - Number(this.#written.has(b)),
    );
    for (const [at, domain] of domains.entries()) {
      try {
        const transaction = await this.#running.get(domain);
        if (transaction !== undefined) await this.#commitOne(transaction);
        this.#running.delete(domain);
        if (this.#written.has(domain)) committed.push(domain);
      } catch (error) {
        await this.rollback();
        throw committed.length === 0 ? error : partial(committed, domains.slice(at), this.#written, error);
      }
    }
  }

  /** Ends every transaction without effect. */
  async rollback(): Promise<void> {
    this.#isOver = true;
    const running = [...this.#running.values()];
    this.#running.clear();
    for (const transaction of running) {
      await transaction.then(
        (begun) => inTurn(begun, () => begun.rollback()),
        () => {},
      );
    }
  }

  /** Marks a point to come back to. Throws `CapabilityError` where a running transaction has no savepoints. */
  async mark(name: string): Promise<Mark> {
    const marked: Transaction[] = [];
    for (const transaction of await Promise.all(this.#running.values())) {
      if (transaction.savepoint === undefined) {
        throw new CapabilityError(
          `A transaction inside a transaction needs savepoints, which ${transaction.domain.name} does not have. Do its work in the outer transaction.`,
        );
      }
      await inTurn(transaction, async () => transaction.savepoint?.(name));
      marked.push(transaction);
    }
    return { name, marked: new Set(marked), written: [...this.#written], kept: this.#kept?.length ?? 0 };
  }

  async release(mark: Mark): Promise<void> {
    for (const transaction of mark.marked) await inTurn(transaction, async () => transaction.release?.(mark.name));
  }

  /** Goes back to a mark; domains that were first touched after it are ended altogether. */
  async rollbackTo(mark: Mark): Promise<void> {
    for (const [domain, running] of [...this.#running]) {
      const transaction = await running;
      if (mark.marked.has(transaction)) {
        await inTurn(transaction, async () => transaction.rollbackTo?.(mark.name));
        mend(transaction);
        continue;
      }
      this.#running.delete(domain);
      await inTurn(transaction, () => transaction.rollback());
    }
    this.#kept?.cut(mark.kept);
    this.#written.clear();
    for (const domain of [...mark.written, ...this.#final]) this.#written.add(domain);
  }

  async #commitOne(
    transaction: Transaction,
    run = () => inTurn(transaction, () => transaction.commit()),
  ): Promise<void> {
    const failure = failureOf(transaction);
    if (failure !== undefined) {
      throw new InvalidStateError(
        `An earlier call on ${transaction.domain.name} failed in this unit of work (${failure instanceof Error ? failure.message : String(failure)}), so it cannot be committed. Let the error leave the callback, or do what may fail inside uow.transaction().`,
        { cause: failure },
      );
    }
    const commit = run();
    try {
      await untilAborted(commit, this.options.signal);
    } catch (error) {
      if (this.options.signal?.aborted !== true) throw error;
      // It is under way and cannot be called back; most often it is through in a moment.
      const late = await Promise.race([commit.then(() => true), pause(COMMIT_GRACE_MS, undefined).then(() => false)]);
      if (late) return;
      // Ended when it answers, without anybody waiting for that.
      this.#running.delete(transaction.domain);
      inTurn(transaction, () => transaction.rollback()).catch(() => {});
      throw new CommitUnknownError(
        `The time limit or signal came while ${transaction.domain.name} was committing, and it did not answer within ${COMMIT_GRACE_MS} ms. It may or may not have committed: look before doing it again.`,
        { cause: error },
      );
    }
  }

  #checkIsolation(store: Store, entity: EntityModel): void {
    const { isolation } = this.options;
    if (isolation === undefined) return;
    if (store.capabilities.transactions?.isolation.includes(isolation) === true) return;
    throw new CapabilityError(
      `This unit of work asks for isolation '${isolation}', which the store '${entity.store}' of ${entity.name} does not have.`,
      { entity: entity.name, store: entity.store },
    );
  }
}

/** A point in the running transactions of a unit of work. */
export interface Mark {
  readonly name: string;
  readonly marked: ReadonlySet<Transaction>;
  readonly written: readonly TransactionDomain[];
  readonly kept: number;
}

function partial(
  committed: readonly TransactionDomain[],
  rest: readonly TransactionDomain[],
  written: ReadonlySet<TransactionDomain>,
  cause: unknown,
): PartialCommitError {
  const failed = rest.filter((domain) => written.has(domain)).map((domain) => domain.name);
  const unknown = cause instanceof CommitUnknownError ? ` (of ${failed[0]} it is not known)` : '';
  return new PartialCommitError(
    `Committed: ${committed.map((domain) => domain.name).join(', ')}. Not committed: ${failed.join(', ') || 'none'}${unknown}. With atomicity 'best-effort' it is for the application to repair this.`,
    committed.map((domain) => domain.name),
    failed,
    { cause },
  );
}
