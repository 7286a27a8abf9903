/**
 * A unit of work as the reading and writing rooms see it. Three of the same kind: the one for the application, which
 * writes what is pending before it reads; the one for the flush itself, which must not; and detached ones, whose
 * instances nobody tracks.
 */
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Access } from '../store/access.js';
import type { Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';
import { TrackedEntities } from '../unit-of-work/tracked-entities.js';
import { areTogether, type Environment, storeOf } from './environment.js';
import type { AccessOptions, CallOptions, UnitPort, WorkContext } from './ports.js';

/** What a context asks of its unit of work. */
export interface ContextHost {
  readonly environment: Environment;
  /** Joins the transaction of the entity's store, after writing what is pending among `reads` if `flush` is set. */
  access(entity: EntityModel, reads: readonly EntityModel[], options: AccessOptions, flush: boolean): Promise<Access>;
  /** False where a batch is not to be sent: the commit does. */
  keep(store: Store, batch: WriteBatch): boolean;
  readonly unit: UnitPort;
}

export class UnitContext implements WorkContext {
  readonly domain: DomainModel;
  readonly unit: UnitPort;

  constructor(
    private readonly host: ContextHost,
    private readonly tracked: TrackedEntities,
    private readonly flushes: boolean,
  ) {
    this.domain = host.environment.domain;
    this.unit = host.unit;
  }

  areTogether(a: EntityModel, b: EntityModel): boolean {
    return areTogether(this.host.environment, a, b);
  }

  store(entity: EntityModel): Store {
    return storeOf(this.host.environment, entity);
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
    );
    return context;
  }

  keep(entity: EntityModel, batch: WriteBatch): boolean {
    return this.host.keep(this.store(entity), batch);
  }

  /** The running transaction already makes one of several calls. */
  atomically<R>(_entity: EntityModel, _options: CallOptions, run: (work: WorkContext) => Promise<R>): Promise<R> {
    return run(this);
  }
}
