/**
 * The front door: entity classes and stores come in, checked together once; out come units of work, sessions and
 * repositories. Everything it owns is made at `open()` and ended by `close()`.
 */
import type { AccessLog } from '../audit/access-queue.js';
import type { Attribution } from '../audit/attribution.js';
import { CommitEngine } from '../commit/across/engine.js';
import type { RelayOptions } from '../commit/across/relay.js';
import type { StepListener } from '../commit/across/steps.js';
import { findTopology } from '../commit/across/topology.js';
import type { Atomicity } from '../commit/domain-transactions.js';
import { ConfigurationError, InvalidStateError } from '../errors/errors.js';
import { compileDomain } from '../metadata/compile.js';
import type { EntityClass } from '../model/entity-model.js';
import { RelationReader } from '../repository/relation-reader.js';
import { CallContext } from '../session/call-context.js';
import { causalTokenOf, observeToken } from '../session/causal-token.js';
import { type CommitHook, CommitHooks } from '../session/commit-hooks.js';
import { CurrentWork } from '../session/current-work.js';
import { type Environment, storeNamed } from '../session/environment.js';
import { CallCount, guardStore, type Settle } from '../session/guarded-store.js';
import { runNested } from '../session/nested.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import { AWAIT_MS, runTransaction, type TransactionRunOptions } from '../session/run-transaction.js';
import { readSettled } from '../session/settled-read.js';
import { Work } from '../session/work.js';
import type { Store } from '../store/store.js';
import { adoptEntities } from './adoption.js';
import { type AuditOptions, auditLogs, startAudit } from './audit/start.js';
import { checkBindings, checkCapabilities, checkDomains } from './capability-check.js';
import { Journal } from './journal.js';
import { DeclaredMoves, type MoveDeclaration } from './move/declared-moves.js';
import { Moves } from './move/moves.js';
import { Repositories } from './repositories.js';
import { Running } from './running.js';
import { Schema, type SchemaMode } from './schema.js';
import { Session } from './session.js';
import { SettledReader } from './settled-reader.js';
import { UnitOfWork } from './unit-of-work.js';

/** Options of `Storeweave.open`. */
export interface OpenOptions {
  readonly entities: readonly EntityClass[];
  /** A store for each logical name that an entity lives in. */
  readonly stores: Readonly<Record<string, Store>>;
  /** `apply` (default): bring the schema up, without losing anything; `verify`: refuse to open if it differs; `ignore`. */
  readonly schema?: SchemaMode;
  /**
   * What a unit of work over several databases is promised. `atomic` (default): all or nothing, so one that cannot be is
   * refused. `best-effort`: databases commit one after the other, and a failure in between leaves part of it.
   */
  readonly atomicity?: Atomicity;
  /** Of commits over several databases. */
  readonly commit?: CommitOptions;
  /** Entities that are moved from one store to another while the application runs; the same in all of its processes. */
  readonly moving?: readonly MoveDeclaration[];
  /** Of records of changes and reads, where an entity is audited; see `@Audited`. */
  readonly audit?: AuditOptions;
  /** Called at stages of each commit; up to the decision they can refuse it. */
  readonly hooks?: readonly CommitHook[];
}

/** Options of commits over several databases. */
export interface CommitOptions {
  /** Logical name of the store that decides. Default: the first one bound that can, relational ones before others. */
  readonly coordinator?: string;
  /** Finishes units of work of processes that died. `false`: not in this process; run `storeweave relay` somewhere. */
  readonly relay?: RelayOptions | false;
  /** Told before and after every step on every store; see `StepEvent`. */
  readonly onStep?: StepListener;
  /**
   * How long a write of changed entities may take in a unit of work that has open transactions in several databases, in
   * milliseconds, beside 2 ms for each row; then it is ended with a `DeadlockError` and done again. No database sees a
   * deadlock over two of them. Default: 10,000.
   */
  readonly waitMs?: number;
}

/** Options of a session. */
export interface SessionOptions extends Attribution {
  /** Ends every call of the session. */
  readonly signal?: AbortSignal;
  /** Limit on each commit, in milliseconds. */
  readonly timeoutMs?: number;
  readonly label?: string;
  /** Of its commits over several databases: see `TransactionRunOptions`. */
  readonly await?: 'applied' | 'decided';
  readonly awaitMs?: number;
}

/**
 * One domain model over its stores.
 *
 * ```ts
 * await using weave = await Storeweave.open({ entities: [User, Post], stores: embedded() });
 * await weave.transaction(async (uow) => uow.create(User, { email: 'ada@example.org' }));
 * ```
 */
export class Storeweave extends Repositories implements AsyncDisposable {
  /** The difference between the stores and the entities, and the means to mend it. */
  readonly schema: Schema;
  /** Moves of entities from one store to another that `moving` declares. */
  readonly moves: Moves;
  readonly #declared: DeclaredMoves;
  readonly #environment: Environment;
  readonly #running = new Running();
  readonly #units = new WeakMap<object, UnitOfWork>();
  readonly #stores: Readonly<Record<string, Store>>;
  readonly #calls: CallCount;
  #closed: Promise<void> | undefined;

  private constructor(
    environment: Environment,
    stores: Readonly<Record<string, Store>>,
    calls: CallCount,
    declared: DeclaredMoves,
  ) {
    super(environment.domain);
    this.#calls = calls;
    this.#environment = environment;
    this.#stores = stores;
    this.#declared = declared;
    this.schema = new Schema(stores);
    this.moves = new Moves(environment.domain, stores, declared, () => this.#running.check());
  }

  /**
   * Checks entities and stores against each other, connects, and brings the schema up. Throws `MetadataError`,
   * `CapabilityError` or `ConfigurationError` with everything that is wrong; nothing stays open then.
   */
  static async open(options: OpenOptions): Promise<Storeweave> {
    const { stores, schema = 'apply', atomicity = 'atomic' } = options;
    const logs = auditLogs(options.entities, stores, { coordinator: options.commit?.coordinator, ...options.audit });
    const entities = [...options.entities, ...logs.classes];
    const domain = compileDomain(entities, await adoptEntities(options.entities, stores), logs.places);
    if (logs.problem !== undefined) throw logs.problem;
    checkBindings(domain, stores);
    checkCapabilities(domain, stores);
    if (atomicity === 'atomic') checkDomains(domain, stores);
    const moves = new DeclaredMoves(domain, stores, options.moving ?? []);
    const calls = new CallCount();
    const settle: Settle = async ({ owners }, { signal }) => environment.engine?.settle(owners, { signal });
    const environment: Environment = {
      domain,
      stores: new Map(Object.entries(stores).map(([name, store]) => [name, guardStore(store, calls, settle)])),
      atomicity,
      current: new CurrentWork(),
      hooks: new CommitHooks(options.hooks),
      audit: startAudit(domain, (name) => environment.stores.get(name), options.audit),
      inUnit: (call, run) =>
        weave.#running.track(call.label ?? 'a recorded write', () =>
          runTransaction(environment, call, (work) => run(work.audited)),
        ),
      routes: moves.isEmpty ? undefined : moves,
      loaderFor: (source) => new RelationReader(source),
    };
    const weave = new Storeweave(environment, stores, calls, moves);
    try {
      for (const [name, store] of Object.entries(stores)) {
        const entities = [...domain.entities.filter((entity) => entity.store === name), ...moves.entitiesIn(name)];
        await store.open({ name, entities, fenced: mayFence(store, stores, atomicity) });
      }
      // Some stores know only now what their server can do.
      if (atomicity === 'atomic') checkDomains(domain, stores);
      await weave.schema.prepare(schema);
      await moves.prepare(environment, schema === 'ignore');
      if (atomicity === 'atomic') environment.engine = await startEngine(environment, options.commit);
    } catch (error) {
      await environment.engine?.close().catch(() => {});
      await closeAll(stores).catch(() => {});
      throw error;
    }
    return weave;
  }

  /**
   * Runs a callback as one unit of work and commits what it changed, or rolls everything back if it throws. Runs the
   * callback again after errors that are worth it (`retries`). Inside another transaction of this weave it is nested in
   * that one. Resolves with the callback's result, when everything is durable.
   */
  transaction<R>(callback: (uow: UnitOfWork) => Promise<R> | R): Promise<R>;
  transaction<R>(options: TransactionRunOptions, callback: (uow: UnitOfWork) => Promise<R> | R): Promise<R>;
  transaction<R>(
    first: TransactionRunOptions | ((uow: UnitOfWork) => Promise<R> | R),
    second?: (uow: UnitOfWork) => Promise<R> | R,
  ): Promise<R> {
    const [options, callback] = typeof first === 'function' ? [{}, first] : [first, second];
    if (callback === undefined) {
      throw new ConfigurationError('transaction() needs a callback: transaction(options, async (uow) => …).');
    }
    const present = this.#work();
    // What outlives the unit of work that it was started in begins one of its own.
    if (present !== undefined && !present.isOver) return runNested(present, async () => callback(this.#unit(present)));
    return this.#running.track(options.label ?? options.actor ?? 'a transaction', () =>
      runTransaction(this.#environment, options, (work) => callback(this.#unit(work))),
    );
  }

  /** Records of reads: how many wait, were written, were lost. Undefined where nothing is audited. */
  get accessLog(): AccessLog | undefined {
    return this.#environment.audit?.accesses;
  }

  /**
   * Runs a callback that reads, so that all it reads belongs together: no unit of work is seen in part, over whatever
   * stores. It is run again where what it read was changing, so it should do nothing but read. Not inside a unit of work,
   * which throws `InvalidStateError`, as does a dead letter that a store it reads still refuses to apply; throws
   * `SerializationError` where what it reads never holds still. Records that come and go: see `docs/guarantees.md`.
   */
  settled<R>(read: (reader: SettledReader) => Promise<R>, options: CallOptions = {}): Promise<R> {
    return this.settle((work) => read(new SettledReader(this.#environment.domain, work)), options);
  }

  protected override settle<R>(read: (work: WorkContext) => Promise<R>, options: CallOptions): Promise<R> {
    if (this.#work()?.isOver === false) {
      throw new InvalidStateError(
        'A settled read inside a unit of work would read what that one has locked or begun. Read before it begins.',
      );
    }
    return this.#running.track('a settled read', () => readSettled(this.#environment, read, options));
  }

  /** A unit of work by hand; end it with `commit()` and `await using`. */
  session(options: SessionOptions = {}): Session {
    this.#running.check();
    const across = { await: options.await ?? 'applied', awaitMs: options.awaitMs ?? AWAIT_MS } as const;
    const work = new Work(this.#environment, { ...options, mode: 'session', flush: 'commit', across });
    return new Session(work, this.#running);
  }

  /** The unit of work that the running code is in, through every `await`; undefined outside of one. */
  current(): UnitOfWork | undefined {
    const work = this.#work();
    return work === undefined ? undefined : this.#unit(work);
  }

  /**
   * The driver's own object of a logical store. Inside a unit of work it is a promise of the one that is enlisted in its
   * transaction, so await it. Throws `ConfigurationError` for a name that no store is bound to.
   */
  native(store: string): unknown {
    this.#running.check();
    const work = this.#work();
    return work === undefined ? storeNamed(this.#environment, store).native({}) : this.#unit(work).native(store);
  }

  /**
   * The journal of commits over several databases. Throws `ConfigurationError` where all entities are in one, or none of
   * the stores can coordinate.
   */
  get journal(): Journal {
    const { engine } = this.#environment;
    if (engine === undefined) {
      throw new ConfigurationError(
        'There is no journal: all entities are in one database, or this was opened with best effort. A commit in one database needs none.',
      );
    }
    return new Journal(engine);
  }

  /** What this process has seen of its stores, as a text for a cookie or header; undefined where there is nothing to wait for. */
  causalToken(): Promise<string | undefined> {
    return causalTokenOf(this.#environment.stores);
  }

  /**
   * Lets everything that is read from now on be at least as new as what a token stands for: `receipt.causalToken` or
   * `causalToken()` of another process. Throws `InvalidQueryError` for a text that is no token.
   */
  async observe(causalToken: string): Promise<void> {
    await observeToken(this.#environment.stores, causalToken);
  }

  /** Waits for units of work that are under way, refuses new ones, and closes every store. Can be called again. */
  close(): Promise<void> {
    if (this.#work()?.isOver === false) {
      throw new InvalidStateError('close() inside a transaction would wait for itself. Close after it has ended.');
    }
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #shutDown(): Promise<void> {
    await this.#running.end();
    await this.#environment.audit?.accesses.flush();
    this.#declared.end();
    await this.#environment.engine?.close();
    await this.#calls.none();
    await closeAll(this.#stores);
  }

  #work(): Work | undefined {
    const work = this.#environment.current.work();
    return work instanceof Work ? work : undefined;
  }

  #unit(work: Work): UnitOfWork {
    let unit = this.#units.get(work);
    if (unit === undefined) {
      unit = new UnitOfWork(work);
      this.#units.set(work, unit);
    }
    return unit;
  }

  protected override context(): WorkContext {
    const work = this.#environment.current.work();
    if (work !== undefined) return work.context;
    this.#running.check();
    return new CallContext(this.#environment);
  }
}

/** Whether units of work may put fences on the rows of a store. */
function mayFence(store: Store, stores: Readonly<Record<string, Store>>, atomicity: Atomicity): boolean {
  if (atomicity !== 'atomic' || store.capabilities.commit?.participates !== 'fence') return false;
  return Object.values(stores).some(
    (other) => other.domain !== store.domain && other.capabilities.commit?.coordinates === true,
  );
}

/** The commit over several databases; undefined where there is one, or none that can decide. */
async function startEngine(
  { domain, stores }: Environment,
  { coordinator, relay, onStep, waitMs }: CommitOptions = {},
): Promise<CommitEngine | undefined> {
  const topology = findTopology(stores, coordinator);
  if (topology === undefined || new Set([...stores.values()].map((store) => store.domain)).size < 2) return undefined;
  const engine = new CommitEngine(topology, domain, {
    ...(relay !== undefined && { relay }),
    ...(onStep && { listeners: [onStep] }),
    ...(waitMs !== undefined && { waitMs }),
  });
  await engine.open();
  return engine;
}

async function closeAll(stores: Readonly<Record<string, Store>>): Promise<void> {
  const results = await Promise.allSettled([...new Set(Object.values(stores))].map((store) => store.close()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
