/**
 * The time-series store: measurements are tables partitioned by time. A point is known by its time and tags, so writing
 * it again sets its fields anew, as time-series databases do.
 */
import {
  type Access,
  type Capabilities,
  CheckViolationError,
  type DownsampleSpec,
  type EntityModel,
  type InsertBatch,
  type Row,
  SerializationError,
  type SeriesStore,
  type StoreContext,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import { columnLayout, type SqlDomain, type SqlSession, type TableLayout, withCommit } from '@storeweave/sql';
import { shared } from '../capabilities.js';
import { ModelStore, type PostgresStoreOptions } from '../model-store.js';
import type { TableDesign } from '../schema/design.js';
import { downsample } from './downsample.js';
import { Partitions } from './partitions.js';
import type { PartitionUnit } from './ranges.js';
import { seriesDesign, timestampOf } from './series-design.js';
import { window } from './window.js';

export interface PostgresSeriesOptions {
  /**
   * How much time one partition covers: 'day', 'week', 'month' (default) or 'year', in UTC. Some millions of points to
   * a partition is a good size. May be changed at any time; what is there stays as it is.
   */
  readonly partition?: PartitionUnit;
}

export class PostgresSeriesStore extends ModelStore {
  readonly capabilities: Capabilities = withCommit(this.domain, {
    ...shared,
    models: ['timeseries'],
    sequences: false,
  });
  readonly series: SeriesStore = {
    window: (spec, access) => this.domain.use(access, (session) => window(spec, this.layoutOf, session)),
    downsample: (spec, access) => this.#downsample(spec, access),
  };
  readonly #unit: PartitionUnit;
  readonly #partitions: Partitions;

  constructor(domain: SqlDomain, options: PostgresStoreOptions & PostgresSeriesOptions = {}) {
    super(domain, options);
    this.#unit = options.partition ?? 'month';
    this.#partitions = new Partitions(this.#unit, this.schemaOf);
  }

  protected override createLayout(entity: EntityModel, _context: StoreContext): TableLayout {
    return columnLayout(entity, { schema: this.schemaOf(entity) });
  }

  protected override createDesign(entity: EntityModel): TableDesign {
    return seriesDesign(entity, this.layoutOf(entity), this.schemaOf(entity));
  }

  protected override async writeIn(batch: WriteBatch, access: Access): Promise<WriteResult> {
    if (batch.op !== 'insert') return super.writeIn(batch, access);
    const points = lastOfEach(batch);
    const write = async () => {
      await this.domain.use(access, (session) => this.#makeRoom(points, session, access));
      return super.writeIn(points, access);
    };
    try {
      const result = await write();
      return { ...result, count: result.count + batch.rows.length - points.rows.length };
    } catch (error) {
      if (!isMissingPartition(error)) throw error;
      // Another process dropped a partition that was known to be there.
      this.#partitions.forget(batch.entity);
      if (access.transaction === undefined) return write();
      throw new SerializationError(
        `A partition of ${batch.entity.name} was dropped by someone else. Run the unit of work again; transaction() does so by itself.`,
        { entity: batch.entity.name, cause: error },
      );
    }
  }

  async #makeRoom({ entity, fields, rows }: InsertBatch, session: SqlSession, access: Access): Promise<void> {
    const time = timestampOf(entity);
    const at = fields.indexOf(time);
    const instants = rows.flatMap((row) => {
      const value = row[at];
      if (typeof value === 'bigint') return [value];
      return typeof value === 'number' && Number.isFinite(value) ? [BigInt(value) * 1000n] : [];
    });
    await this.#partitions.ensure(entity, instants, session, access.transaction);
  }

  async #downsample(spec: DownsampleSpec, access: Access): Promise<number> {
    const run = (inside: Access) =>
      this.domain.use(inside, (session) =>
        downsample(spec, this.layoutOf, this.#partitions, this.#unit, session, inside.transaction),
      );
    if (access.transaction !== undefined) return run(access);
    try {
      return await run(access);
    } catch (error) {
      // Points of a new time came in between the two statements.
      if (!isMissingPartition(error)) throw error;
      this.#partitions.forget(spec.into);
      return run(access);
    }
  }
}

/** Of rows for the same point the last one counts, and one statement may write a row only once. */
function lastOfEach(batch: InsertBatch): InsertBatch {
  const onConflict = batch.onConflict ?? { do: 'update' };
  const { entity, fields } = batch;
  const keys = entity.ids.map((id) => fields.indexOf(id));
  const last = new Map<string, Row>();
  for (const row of batch.rows) last.set(JSON.stringify(keys.map((at) => textOf(row[at]))), row);
  return { ...batch, onConflict, rows: last.size === batch.rows.length ? batch.rows : [...last.values()] };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : String(value);
}

function isMissingPartition(error: unknown): boolean {
  const cause = error instanceof CheckViolationError ? error.cause : undefined;
  return cause instanceof Error && /^no partition of relation/.test(cause.message);
}
