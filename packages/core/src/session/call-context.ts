/**
 * Outside of a unit of work every call has an identity map of its own and commits by itself. The instances it gives keep
 * this context for loading their relations later; inside a unit of work such a load joins that one's transaction.
 */
import { inTurn } from '../commit/turns.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Access, Transaction } from '../store/access.js';
import type { Store } from '../store/store.js';
import { TrackedEntities } from '../unit-of-work/tracked-entities.js';
import { Obstacles } from './back-off.js';
import { areTogether, type Environment, pinned, storeOf } from './environment.js';
import type { AccessOptions, AuditPort, CallOptions, WorkContext } from './ports.js';

export class CallContext implements WorkContext {
  readonly domain: DomainModel;
  readonly #tracked: TrackedEntities;
  readonly #pinned: Environment;

  constructor(
    private readonly environment: Environment,
    private readonly transaction?: Transaction,
  ) {
    this.#pinned = pinned(environment);
    this.domain = environment.domain;
    this.#tracked = new TrackedEntities(environment.domain, environment.loaderFor({ current: () => this }), false);
  }

  areTogether(a: EntityModel, b: EntityModel): boolean {
    return this.#running()?.areTogether(a, b) ?? areTogether(this.#pinned, a, b);
  }

  store(entity: EntityModel): Store {
    const store = this.#running()?.store(entity);
    if (store !== undefined) return store;
    const { audit } = this.environment;
    const own = storeOf(this.#pinned, entity);
    return audit === undefined ? own : audit.watch(own, {});
  }

  get audit(): AuditPort | undefined {
    const { audit } = this.environment;
    if (audit === undefined) return undefined;
    const inUnit: AuditPort['inUnit'] = (options, run) => this.environment.inUnit(pick(options), run);
    return this.#running()?.audit ?? { policies: audit.policies, log: audit.log, inUnit };
  }

  async access(entity: EntityModel, reads: readonly EntityModel[], options: AccessOptions): Promise<Access> {
    const running = this.#running();
    if (running !== undefined) return running.access(entity, reads, options);
    return { ...pick(options), ...(this.transaction && { transaction: this.transaction }) };
  }

  materialize(entity: EntityModel, rows: readonly Row[], options?: { readonly refresh?: boolean }): object[] {
    return this.#tracked.materialize(entity, rows, options?.refresh);
  }

  known(entity: EntityModel, key: Row): object | undefined {
    return this.#tracked.known(entity, key);
  }

  isRemoved(): boolean {
    return false;
  }

  detached(): WorkContext {
    return new CallContext(this.transaction === undefined ? this.environment : this.#pinned, this.transaction);
  }

  async atomically<R>(entity: EntityModel, options: CallOptions, run: (work: WorkContext) => Promise<R>): Promise<R> {
    const obstacles = new Obstacles(options.signal, this.environment.engine);
    for (let context: CallContext = this; ; context = new CallContext(this.environment)) {
      try {
        return await context.#atOnce(entity, options, run);
      } catch (error) {
        if (!(await obstacles.cleared(error))) throw error;
      }
    }
  }

  async #atOnce<R>(entity: EntityModel, options: CallOptions, run: (work: WorkContext) => Promise<R>): Promise<R> {
    const { domain } = this.store(entity);
    if (this.transaction !== undefined || domain.begin === undefined) return run(this);
    const transaction = await domain.begin(pick(options));
    try {
      const result = await run(new CallContext(this.#pinned, transaction));
      await inTurn(transaction, () => transaction.commit());
      return result;
    } catch (error) {
      await inTurn(transaction, () => transaction.rollback());
      throw error;
    }
  }

  /** Inside a unit of work its transactions are joined, unless there is one of this context's own. */
  #running(): WorkContext | undefined {
    return this.transaction === undefined ? this.environment.current.work()?.context : undefined;
  }
}

function pick({ signal, timeoutMs, label }: CallOptions): CallOptions {
  return {
    ...(signal && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(label !== undefined && { label }),
  };
}
