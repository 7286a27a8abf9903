/**
 * Entities that a unit of work has looked at and not changed, and that must not have changed either when it commits. Where
 * a store decides, their rows are locked and compared; where it is fenced, they are fenced like changes.
 */
import { staleError } from '../commit/stale-error.js';
import { CapabilityError, InvalidStateError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import { rowKey } from '../store/value-key.js';
import type { UpdateBatch } from '../store/write.js';
import type { EntityState } from '../unit-of-work/entity-state.js';
import { byKeys } from './flush-reads.js';
import type { WorkContext } from './ports.js';

export class Guards {
  readonly #states = new Set<EntityState>();

  /** Throws `CapabilityError` for an entity without a version, `InvalidStateError` for one that was not read. */
  add(state: EntityState): void {
    const { model, row } = state;
    if (model.version === undefined) {
      throw new CapabilityError(
        `${model.name} cannot be guarded: it has no @Version, so nobody could tell whether it has changed.`,
        { entity: model.name, store: model.store },
      );
    }
    if (row === undefined) {
      throw new InvalidStateError(
        `A new ${model.name} cannot be guarded: it is not there yet, and nobody can change it.`,
        {
          entity: model.name,
        },
      );
    }
    this.#states.add(state);
  }

  get isEmpty(): boolean {
    return this.#states.size === 0;
  }

  clear(): void {
    this.#states.clear();
  }

  /** Fences to be put up, for what is fenced; for everything else locks and compares now. */
  async hold(context: WorkContext, isFenced: (entity: EntityModel) => boolean): Promise<UpdateBatch[]> {
    const fences: UpdateBatch[] = [];
    for (const [entity, rows] of this.#unchanged()) {
      const keys = rows.map((row) => entity.ids.map((id) => row[id.index]));
      const versions = rows.map((row) => row[entity.version?.index ?? -1]);
      if (isFenced(entity)) {
        fences.push({ op: 'update', entity, fields: [], rows: rows.map(() => []), keys, versions });
      } else await compare(context, entity, keys, versions);
    }
    return fences;
  }

  /** What was changed or deleted is compared by its own write. */
  #unchanged(): Map<EntityModel, Row[]> {
    const rows = new Map<EntityModel, Row[]>();
    for (const { model, row, status } of this.#states) {
      if (status !== 'managed' || row === undefined) continue;
      const own = rows.get(model);
      if (own === undefined) rows.set(model, [row]);
      else own.push(row);
    }
    return rows;
  }
}

async function compare(
  context: WorkContext,
  entity: EntityModel,
  keys: readonly Row[],
  versions: readonly unknown[],
): Promise<void> {
  const store = context.store(entity);
  const { version, ids } = entity;
  if (!store.capabilities.rowLocks || version === undefined) {
    throw new CapabilityError(
      `${entity.name} in store '${entity.store}' cannot be guarded: the store has no row locks, and takes no fences here.`,
      { entity: entity.name, store: entity.store },
    );
  }
  const access = await context.access(entity, [], {});
  const fields = [...ids, version];
  const found = await store.read({ entity, fields, where: byKeys(ids, keys), lock: 'share' }, access);
  const known = new Map(found.map((row) => [rowKey(row.slice(0, ids.length)), row[ids.length]]));
  for (const [at, key] of keys.entries()) {
    const expected = versions[at];
    // A flush of this unit of work may have moved the row on: then its version is what was written.
    if (String(known.get(rowKey(key))) !== String(expected)) throw staleError(entity, key, expected);
  }
}
