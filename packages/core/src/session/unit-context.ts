/**
 * A unit of work as the reading and writing rooms see it. Three of the same kind: the one for the application, which
 * writes what is pending before it reads; the one for the flush itself, which must not; and detached ones, whose
 * instances nobody tracks.
 */
import type { Attribution } from '../audit/attribution.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Access } from '../store/access.js';
import type { Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';
import { TrackedEntities } from '../unit-of-work/tracked-entities.js';
import { areTogether, type Environment, storeOf } from './environment.js';
import type { AccessOptions, AuditedUnit, AuditPort, CallOptions, UnitPort, WorkContext } from './ports.js';

/** What a context asks of its unit of work. */
export interface ContextHost {
  readonly environment: Environment;
  /** Joins the transaction of the entity's store, after writing what is pending among `reads` if `flush` is set. */
  access(entity: EntityModel, reads: readonly EntityModel[], options: AccessOptions, flush: boolean): Promise<Access>;
  /** False where a batch is not to be sent: the commit does. */
  keep(store: Store, batch: WriteBatch): boolean;
  /** Whether changes by filter are made by row. */
  changesByRow(store: Store): boolean;
  readonly unit: UnitPort;
  readonly id: string;
  readonly options: Attribution;
  /** A transaction is under way, which whatever is written joins. */
  readonly isInTransaction: boolean;
  /** For calls that write records themselves. */
  readonly audited: AuditedUnit;
}

export class UnitContext implements WorkContext {
  readonly domain: DomainModel;
  readonly unit: UnitPort;

  constructor(
    private readonly host: ContextHost,
    private readonly tracked: TrackedEntities,
    private readonly flushes: boolean,
    /** Whether reads of entities that are marked so are on record. */
    private readonly isWatched: boolean,
  ) {
    this.domain = host.environment.domain;
    this.unit = host.unit;
  }

  areTogether(a: EntityModel, b: EntityModel): boolean {
    return areTogether(this.host.environment, a, b);
  }

  store(entity: EntityModel): Store {
    const { environment, options, id } = this.host;
    const store = storeOf(environment, entity);
    return this.isWatched && environment.audit !== undefined ? environment.audit.watch(store, options, id) : store;
  }

  get audit(): AuditPort | undefined {
    const { environment, options, isInTransaction, audited } = this.host;
    const { audit, inUnit } = environment;
    if (audit === undefined) return undefined;
    const { actor, reason, from } = options;
    return {
      policies: audit.policies,
      log: audit.log,
      inUnit: (call, run) => (isInTransaction ? run(audited) : inUnit({ ...call, actor, reason, from }, run)),
    };
  }

  access(entity: EntityModel, reads: readonly EntityModel[], options: AccessOptions): Promise<Access> {
    return this.host.access(entity, reads, options, this.flushes);
  }

  materialize(entity: EntityModel, rows: readonly Row[], options?: { readonly refresh?: boolean }): object[] {
    return this.tracked.materialize(entity, rows, options?.refresh);
  }

  known(entity: EntityModel, key: Row): object | undefined {
    return this.tracked.known(entity, key);
  }

  isRemoved(instance: object): boolean {
    return this.tracked.isRemoved(instance);
  }

  detached(): WorkContext {
    const { environment } = this.host;
    const loader = environment.loaderFor({ current: () => context });
    const context: WorkContext = new UnitContext(
      this.host,
      new TrackedEntities(this.domain, loader, false),
      this.flushes,
      this.isWatched,
    );
    return context;
  }

  keep(entity: EntityModel, batch: WriteBatch): boolean {
    return this.host.keep(storeOf(this.host.environment, entity), batch);
  }

  changesByRow(entity: EntityModel): boolean {
    return this.host.changesByRow(this.store(entity));
  }

  /** The running transaction already makes one of several calls. */
  atomically<R>(_entity: EntityModel, _options: CallOptions, run: (work: WorkContext) => Promise<R>): Promise<R> {
    return run(this);
  }
}
