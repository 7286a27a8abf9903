/**
 * A unit of work at run time: its entities, its transactions, and the order in which reads, flushes, commit and rollback
 * may happen. It decides when; what is written and how is decided by the rooms to the right.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { v7 } from 'uuid';
import type { Attribution } from '../audit/attribution.js';
import type { AcrossOptions, AcrossOutcome } from '../commit/across/engine.js';
import type { CommitPlan } from '../commit/commit-plan.js';
import { DomainTransactions } from '../commit/domain-transactions.js';
import { pause, throwIfAborted, untilAborted, withinReason } from '../commit/waiting.js';
import { InvalidStateError, PartialCommitError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Access, TransactionOptions } from '../store/access.js';
import type { Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';
import { stateOf } from '../unit-of-work/entity-state.js';
import { Flusher, type Includes } from '../unit-of-work/flush.js';
import { returnPoints } from '../unit-of-work/settlement.js';
import { TrackedEntities } from '../unit-of-work/tracked-entities.js';
import { backOff, isRetryable, Obstacles, RETRIES } from './back-off.js';
import { Cancellation, eitherSignal } from './cancellation.js';
import { causalTokenOf } from './causal-token.js';
import type { CommitStage } from './commit-hooks.js';
import type { RunningWork, Scope } from './current-work.js';
import { type Environment, storeOf } from './environment.js';
import { FlushHistory } from './flush-history.js';
import { readRows } from './flush-reads.js';
import { Guards } from './guards.js';
import type { AccessOptions, AuditedUnit, CallOptions, UnitPort, WorkContext } from './ports.js';
import { type Receipt, receiptOf } from './receipt.js';
import { accompany, auditedUnit, preview } from './records.js';
import { type ContextHost, UnitContext } from './unit-context.js';

export interface WorkOptions extends TransactionOptions, Attribution {
  /** `transaction`: reads join native transactions; `session`: reads stand alone, only the commit is a transaction. */
  readonly mode: 'transaction' | 'session';
  readonly flush: 'auto' | 'commit';
  readonly across: AcrossOptions;
  /** Changes by filter are made by row: see `RowsNeeded`. */
  readonly byRow?: boolean;
}

const flushing = new AsyncLocalStorage<Work>();
/** A flush's own hooks may make new changes; more rounds than this means that they never end. */
const MAX_ROUNDS = 20;
const AFTER = ['afterInsert', 'afterUpdate', 'afterDelete'] as const;

export class Work implements ContextHost, RunningWork {
  /** Of this attempt; each commit of a session is one of its own. */
  id = v7();
  /** Of the last commit. */
  receipt: Receipt | undefined;
  readonly context: WorkContext;
  /** The same without flushing before reads. */
  readonly quiet: WorkContext;
  readonly unit: UnitPort;
  readonly tracked: TrackedEntities;
  readonly rootScope: Scope = { work: this, turn: Promise.resolve() };
  readonly #flusher: Flusher;
  readonly #history = new FlushHistory();
  readonly #guards = new Guards();
  /** What the last commit of a session has decided and may not have applied, by logical store. */
  readonly #applying = new Map<string, Promise<void>>();
  #transactions: DomainTransactions | undefined;
  #running: Promise<unknown> | undefined;
  #ended: string | undefined;
  #failure: unknown;
  #repeatable = true;
  /** Of the commit that is under way in a session. */
  #limit: AbortSignal | undefined;

  constructor(
    readonly environment: Environment,
    readonly options: WorkOptions,
  ) {
    const { domain } = environment;
    const loader = environment.loaderFor({ current: () => this.context });
    this.tracked = new TrackedEntities(domain, loader, true);
    this.unit = {
      create: (entity, data) => this.change(() => this.tracked.create(entity, data)),
      add: (entities) => this.change(() => entities.forEach((entity) => void this.tracked.add(entity))),
      remove: (entities) => this.change(() => entities.forEach((entity) => void this.tracked.remove(entity))),
    };
    this.context = new UnitContext(this, this.tracked, options.mode === 'transaction', true);
    this.quiet = new UnitContext(this, this.tracked, false, true);
    const inner = new UnitContext(this, this.tracked, false, false);
    this.#flusher = new Flusher(this.tracked, {
      reads: { loader: environment.loaderFor({ current: () => inner }), rows: (...query) => readRows(inner, ...query) },
      storeOf: (entity) => storeOf(environment, entity),
      accompany: (writes, changes) => accompany(this, inner, writes, changes),
      preview: (writes, changes) => preview(this, writes, changes),
      admit: (writes) => this.#open().admit(writes),
      sending: (plan) => this.#stage('beforeFlush', () => plan),
      access: (write) => this.#writeAccess(write.entity, write.store),
      limit: (write, rows) => this.#open().waitLimit(write.store.domain, rows),
      sendsNow: (write) => this.#open().sendsNow(write.store.domain),
      keep: (write, batch, isSent) => this.#open().keep(write.store, batch, isSent),
      written: (write) => this.#open().wrote(write.store.domain),
      defer: (write, send) => this.#open().defer(write, send),
    });
    if (options.mode === 'transaction') this.#transactions = this.#begin();
  }

  /** For calls that write their changes on record themselves. */
  get audited(): AuditedUnit {
    return auditedUnit(this, new UnitContext(this, this.tracked, this.options.mode === 'transaction', false));
  }

  get isInTransaction(): boolean {
    return this.#transactions !== undefined;
  }

  /** Runs a change of the entities it has. Throws `InvalidStateError` if the unit of work is over. */
  change<R>(run: () => R): R {
    this.check();
    return run();
  }

  /** Throws where nothing more can be done: it is over, it has failed, or it was told to stop. */
  check(): void {
    if (this.#ended !== undefined) {
      throw new InvalidStateError(
        `This unit of work is over: it was ${this.#ended}. Open another one, or await what you start inside the callback before it returns.`,
      );
    }
    throwIfAborted(this.#signal);
    if (this.#failure !== undefined) {
      throw new InvalidStateError(
        `An earlier flush of this unit of work failed (${messageOf(this.#failure)}), so nothing of it can be kept. Let the error leave the callback, or do what may fail inside uow.transaction().`,
        { cause: this.#failure },
      );
    }
  }

  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  async access(
    entity: EntityModel,
    reads: readonly EntityModel[],
    options: AccessOptions,
    flushes: boolean,
  ): Promise<Access> {
    this.check();
    const store = storeOf(this.environment, entity);
    // Asked before the flush: what will be refused must not have written anything first.
    if (options.writes !== undefined) {
      const operation = options.writes === 'kept' ? 'insert' : 'write';
      this.#transactions?.admit([{ store, entity, operation }]);
    }
    if (flushes && this.options.flush === 'auto' && flushing.getStore() !== this) await this.#flushFor(entity, reads);
    if (options.writes !== undefined) {
      if (entity !== this.environment.audit?.log) this.#history.pass(entity);
      const what = options.writes === 'kept' ? undefined : `a change of ${entity.name} by filter or statement`;
      if (what !== undefined || this.#transactions?.sendsNow(store.domain) === true) {
        this.#transactions?.wrote(store.domain, what);
      }
    }
    return this.#access(store, entity, options);
  }

  /** For `native()`: everything that is pending in this store's domain is written first. */
  async nativeAccess(store: Store, entity: EntityModel | undefined): Promise<Access> {
    this.check();
    if (entity !== undefined && this.options.mode === 'transaction' && flushing.getStore() !== this) {
      await this.flush(this.#sameDomain(store));
    }
    this.#transactions?.touched(store.domain);
    return entity === undefined ? this.#signals({}) : this.#access(store, entity, {});
  }

  changesByRow(store: Store): boolean {
    return this.#transactions?.changesByRow(store.domain) === true;
  }

  /** Notes a batch that a repository writes past the entities. False where it is not to be sent now. */
  keep(store: Store, batch: WriteBatch): boolean {
    const transactions = this.#transactions;
    if (transactions === undefined) return true;
    const isSent = transactions.sendsNow(store.domain);
    transactions.keep(store, batch, isSent);
    return isSent;
  }

  plan(): CommitPlan {
    this.check();
    return this.#flusher.plan();
  }

  /** Writes what is pending where a rollback can take it back; stores without transactions wait for the commit. */
  async flush(
    includes: Includes = (model) => storeOf(this.environment, model).domain.begin !== undefined,
  ): Promise<void> {
    this.check();
    if (flushing.getStore() === this) {
      throw new InvalidStateError(
        'A life-cycle hook cannot flush: it runs inside a flush. What it changes is written by the same one.',
      );
    }
    while (this.#running !== undefined) await this.#running.catch(() => {});
    this.check();
    this.#running = flushing.run(this, () => this.#flushOnce(includes));
    try {
      await this.#running;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  /** Commits a session's changes, again where the store asks for it: nothing was read inside the transaction. */
  async commitWithRetries(): Promise<Receipt> {
    const { signal, timeoutMs, label } = this.options;
    const what = label === undefined ? 'The commit of a session' : `The commit of the session '${label}'`;
    const cancellation = new Cancellation({ signal, timeoutMs, what });
    this.#limit = cancellation.signal;
    try {
      const obstacles = new Obstacles(cancellation.signal, this.environment.engine);
      for (let attempt = 0; ; attempt++) {
        try {
          return await this.commit();
        } catch (error) {
          if (attempt >= RETRIES || !isRetryable(error) || !this.#repeatable) throw error;
          if (await obstacles.cleared(error)) attempt -= 1;
          else await pause(backOff(attempt), cancellation.signal);
        }
      }
    } finally {
      this.#limit = undefined;
      cancellation.end();
    }
  }

  /** Lets every entity go and starts over. */
  async abandon(): Promise<void> {
    this.check();
    await this.rollback('rolled back');
    this.tracked.end();
    this.tracked.holds = true;
  }

  /** Has the commit fail if these have changed since they were read. */
  guard(instances: readonly object[]): void {
    this.check();
    for (const instance of instances) {
      const state = stateOf(instance);
      if (state === undefined || !this.tracked.has(instance)) {
        throw new InvalidStateError('Only an entity of this unit of work can be guarded: find it here first.');
      }
      this.#guards.add(state);
    }
  }

  /** Lets an entity go without writing anything of it. */
  detach(instance: object): void {
    this.check();
    const state = stateOf(instance);
    if (state !== undefined && state.holder === this.tracked) this.tracked.forget(state);
  }

  /** Writes what is left and commits. After a failure everything is rolled back, in the stores and in memory. */
  async commit(): Promise<Receipt> {
    this.check();
    if (this.options.mode === 'session') this.id = v7();
    this.#transactions ??= this.#begin();
    let outcome: AcrossOutcome | undefined;
    try {
      this.#transactions.startCommit();
      await this.#flushAll();
      await this.#holdGuards(this.#transactions);
      outcome = await this.#transactions.commit(this.options.across, (stage) => this.#stage(stage));
    } catch (error) {
      const thrown = this.#transactions.explain(error);
      this.#repeatable = this.#transactions.canBeUndone && !(thrown instanceof PartialCommitError);
      await this.rollback('rolled back', thrown);
      throw thrown;
    }
    const receipt = receiptOf(this.id, outcome, this.#history, await causalTokenOf(this.environment.stores));
    const plan = this.#history.plan();
    this.#history.clear();
    this.receipt = receipt;
    for (const [store, applied] of outcome?.applying ?? []) this.#applying.set(store, applied);
    if (this.options.mode === 'transaction') this.#end('committed');
    else this.#transactions = undefined;
    await this.#stage('afterCommit', () => plan);
    return receipt;
  }

  /** Ends the native transactions and makes the caller's objects what they were before the flushes. */
  async rollback(how: 'rolled back' | 'abandoned', error?: unknown): Promise<void> {
    if (this.#ended !== undefined) return;
    const canContinue = this.options.mode === 'session' && how === 'rolled back';
    if (!canContinue) this.#ended = how;
    await withinReason(this.#running);
    await withinReason(this.#transactions?.rollback());
    const plan = this.#history.plan();
    this.undoTo(0);
    returnPoints(this.#flusher.taken);
    this.#flusher.taken.clear();
    if (canContinue) {
      this.#transactions = undefined;
      this.#failure = undefined;
    } else this.#end(how);
    if (how === 'rolled back') await this.#stage('afterRollback', () => plan, error);
  }

  /** True while a rollback leaves no trace in any store, so that doing everything again is safe. */
  get canBeRepeated(): boolean {
    return this.#transactions?.canBeUndone ?? true;
  }

  /** The transactions of a running unit of work, for savepoints. */
  get transactions(): DomainTransactions {
    return this.#open();
  }

  get undoCount(): number {
    return this.#history.count;
  }

  /** Undoes flushes in memory, the last one first. */
  undoTo(count: number): void {
    this.#history.undoTo(count);
  }

  /** Back at a savepoint, nothing has failed. */
  recover(): void {
    this.#failure = undefined;
    returnPoints(this.#flusher.taken);
    this.#flusher.taken.clear();
  }

  async #flushFor(entity: EntityModel, reads: readonly EntityModel[]): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => {});
    const store = storeOf(this.environment, entity);
    if (store.domain.begin === undefined) return;
    const includes = this.#sameDomain(store);
    if (this.#flusher.isPending(reads, includes)) await this.flush(includes);
  }

  async #flushAll(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => {});
    const transactional: Includes = (model) => storeOf(this.environment, model).domain.begin !== undefined;
    const { domain, engine, hooks } = this.environment;
    const { entities } = domain;
    // Only a hook that runs after the write can have changed an entity since.
    const suspects = entities.some((model) => AFTER.some((event) => model.hooks.has(event))) ? entities : [];
    // The engine keeps what stores without transactions are to be given, and nobody looks in between: one flush does.
    if (engine !== undefined && hooks.none && suspects.length === 0) {
      if (this.#guards.isEmpty) this.#open().allowDeferring();
      return this.flush(() => true);
    }
    for (let round = 0; ; round++) {
      const before = this.#history.rows;
      await this.flush(transactional);
      if (this.#history.rows === before || !this.#flusher.isPending(suspects, transactional)) break;
      if (round === MAX_ROUNDS) {
        throw new InvalidStateError(
          `After ${MAX_ROUNDS} flushes there is still something to write: a life-cycle hook changes entities each time it runs.`,
        );
      }
    }
    const isFinal = entities.some((model) => !transactional(model));
    await this.#stage('beforeCommit', () => this.#history.plan(isFinal ? this.#flusher.plan() : undefined));
    if (isFinal) await this.flush(() => true);
  }

  async #holdGuards(transactions: DomainTransactions): Promise<void> {
    const storeFor = (entity: EntityModel) => storeOf(this.environment, entity);
    const fences = await this.#guards.hold(this.quiet, (entity) => transactions.takesFences(storeFor(entity).domain));
    for (const batch of fences) transactions.guard(storeFor(batch.entity), batch);
    this.#guards.clear();
  }

  async #flushOnce(includes: Includes): Promise<void> {
    const { undo, plan } = await this.#flusher.flush(includes);
    this.#history.add(undo, plan);
    if (!plan.isEmpty) await this.#stage('afterFlush', () => plan);
  }

  async #stage(stage: CommitStage, plan = () => this.#history.plan(), error?: unknown): Promise<void> {
    const { hooks } = this.environment;
    if (hooks.none) return;
    const { actor, reason, from, label } = this.options;
    await hooks.run(stage, plan, { unitOfWork: this.id, actor, reason, from, label, signal: this.#signal, error });
  }

  async #access(store: Store, entity: EntityModel, options: CallOptions): Promise<Access> {
    const applying = this.#applying.get(entity.store);
    if (applying !== undefined) {
      // A session sees what it has committed itself.
      await untilAborted(applying, this.#signal);
      this.#applying.delete(entity.store);
    }
    const transaction = await this.#transactions?.join(store, entity);
    return { ...this.#signals(options), ...(transaction && { transaction }) };
  }

  async #writeAccess(entity: EntityModel, store: Store): Promise<Access> {
    const transactions = this.#open();
    const transaction = await transactions.join(store, entity);
    return { ...this.#signals({}), ...(transaction && { transaction }) };
  }

  #signals(options: CallOptions): Access {
    const signal = eitherSignal(this.#signal, options.signal);
    const label = options.label ?? this.options.label;
    return {
      ...(signal && { signal }),
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
      ...(label !== undefined && { label }),
    };
  }

  #sameDomain(store: Store): Includes {
    return (model) => storeOf(this.environment, model).domain === store.domain;
  }

  get #signal(): AbortSignal | undefined {
    return this.#limit ?? this.options.signal;
  }

  #open(): DomainTransactions {
    this.#transactions ??= this.#begin();
    return this.#transactions;
  }

  #begin(): DomainTransactions {
    const { isolation, readOnly, acquireTimeoutMs, timeoutMs, label } = this.options;
    return new DomainTransactions(
      this.id,
      { isolation, readOnly, acquireTimeoutMs, timeoutMs, signal: this.#signal, label },
      this.environment.atomicity,
      this.environment.engine,
      this.options.byRow,
    );
  }

  #end(how: string): void {
    this.#ended = how;
    this.tracked.end();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
