/**
 * A store whose reads of certain entities are noted: one note for each query, made when it has answered. The answer
 * itself is handed on as it is.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import type { Condition } from '../store/condition.js';
import type { AggregateSpec } from '../store/read.js';
import type { Store } from '../store/store.js';
import { filterText } from './filter-text.js';
import { keyText } from './plain-value.js';
import type { AuditPolicies } from './policy.js';

/** One query that has been answered. */
export interface ReadNote {
  readonly entity: EntityModel;
  readonly operation: 'read' | 'count' | 'aggregate' | 'window';
  readonly keys: readonly string[] | null;
  readonly filter: string | undefined;
  readonly count: number;
}

/** Keys of one note at most; whoever reads more is known by the filter. */
const MOST_KEYS = 1_000;

/** Takes notes; what goes wrong with making one is its own affair. */
export type TakeNote = (make: () => ReadNote) => void;

/** The (guarded) store as it is, telling `take` what is read of entities that are marked so. */
export function watchReads(store: Store, policies: AuditPolicies, take: TakeNote): Store {
  const isMarked = (entity: EntityModel) => policies.get(entity)?.reads === true;
  const tell = (
    entity: EntityModel,
    operation: ReadNote['operation'],
    where: Condition | undefined,
    count: number,
    keys: () => ReadNote['keys'] = () => null,
  ) => take(() => ({ entity, operation, keys: keys(), filter: filterText(entity, where, policies), count }));
  const { stream, count, aggregate, series } = store;
  return {
    ...store,
    async read(spec, access) {
      const rows = await store.read(spec, access);
      const { entity, fields, where } = spec;
      if (isMarked(entity)) tell(entity, 'read', where, rows.length, () => new Keys(entity, fields).add(rows).texts);
      return rows;
    },
    ...(stream && {
      async *stream(spec, access) {
        const { entity, fields, where } = spec;
        if (!isMarked(entity)) {
          yield* stream(spec, access);
          return;
        }
        const keys = new Keys(entity, fields);
        let given = 0;
        try {
          for await (const rows of stream(spec, access)) {
            given += rows.length;
            keys.add(rows);
            yield rows;
          }
        } finally {
          // Who stops half-way has read half.
          tell(entity, 'read', where, given, () => keys.texts);
        }
      },
    }),
    ...(count && {
      async count(entity, where, access) {
        const number = await count(entity, where, access);
        if (isMarked(entity)) tell(entity, 'count', where, number);
        return number;
      },
    }),
    ...(aggregate && {
      async aggregate(spec, access) {
        const rows = await aggregate(spec, access);
        for (const entity of entitiesOf(spec)) {
          if (isMarked(entity)) tell(entity, 'aggregate', spec.entity === entity ? spec.where : undefined, rows.length);
        }
        return rows;
      },
    }),
    ...(series && {
      series: {
        ...(series.downsample && {
          downsample: (spec, access) => series.downsample?.(spec, access) ?? Promise.resolve(0),
        }),
        async window(spec, access) {
          const rows = await series.window(spec, access);
          if (isMarked(spec.entity)) tell(spec.entity, 'window', spec.where, rows.length);
          return rows;
        },
      },
    }),
  };
}

/** The entity that is grouped, and those whose values it is grouped with. */
function entitiesOf({ entity, columns }: AggregateSpec): Set<EntityModel> {
  const found = new Set([entity]);
  for (const { through = [] } of columns) {
    let reached: EntityModel | undefined = entity;
    for (const step of through) {
      reached = reached?.relationsByName.get(step)?.target;
      if (reached !== undefined) found.add(reached);
    }
  }
  return found;
}

/** Ids of rows as texts, where the rows have them. */
class Keys {
  readonly #positions: readonly number[];
  readonly #texts: string[] = [];

  constructor(
    private readonly entity: EntityModel,
    fields: readonly Field[],
  ) {
    this.#positions = entity.ids.map((id) => fields.indexOf(id));
  }

  add(rows: readonly Row[]): this {
    if (this.#positions.includes(-1)) return this;
    for (let at = 0; at < rows.length && this.#texts.length < MOST_KEYS; at++) {
      const row = rows[at] ?? [];
      this.#texts.push(
        keyText(
          this.entity,
          this.#positions.map((position) => row[position]),
        ),
      );
    }
    return this;
  }

  get texts(): readonly string[] | null {
    return this.#positions.includes(-1) ? null : this.#texts;
  }
}
