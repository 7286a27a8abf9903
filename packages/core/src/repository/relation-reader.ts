/**
 * What relation containers load, count and range over: `user.posts.load()` is a populate of one path. The unit of work
 * hands it to the containers of its entities, so that loading joins the transaction they were read in.
 */
import { InvalidStateError } from '../errors/errors.js';
import type { RelationModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import { alignKey } from '../query/key.js';
import { and, FALSE, isFalse, keysIn, or } from '../query/logic.js';
import { visible } from '../query/where.js';
import type { RelationLoader, SeriesRange } from '../relations/relation-loader.js';
import type { ContextSource } from '../session/ports.js';
import type { Condition } from '../store/condition.js';
import { countAll, findAll } from './find.js';
import { populate } from './populate.js';
import { planRelation } from './populate-plan.js';
import { ownerKey } from './relation-state.js';

export class RelationReader implements RelationLoader {
  constructor(private readonly source: ContextSource) {}

  async load(owners: readonly object[], relation: RelationModel): Promise<void> {
    await populate(this.source.current(), owners, [planRelation(relation)], {});
  }

  /** For links the number of links is counted: one query, wherever the targets live. */
  async count(owner: object, relation: RelationModel): Promise<number> {
    const { join, target } = relation;
    const key = ownerKey(owner, relation);
    const work = this.source.current();
    if (join.via === 'link') {
      const near = (fields: readonly Field[]): Condition => keysIn(fields, [alignKey(key, relation.owner.ids, fields)]);
      const mine =
        join.direction === 'both' ? or(near(join.ownerFields), near(join.targetFields)) : near(join.ownerFields);
      return countAll(work, { entity: join.link, where: and(mine, visible(join.link)), call: {} });
    }
    return countAll(work, { entity: target, where: and(pointing(relation, key), visible(target)), call: {} });
  }

  async range(owner: object, relation: RelationModel, range: SeriesRange): Promise<object[]> {
    const { target } = relation;
    const time = target.timestamp;
    if (time === undefined) {
      throw new InvalidStateError(
        `${relation.owner.name}.${relation.name} is no series of measurements and has no range of time.`,
        {
          entity: relation.owner.name,
          property: relation.name,
        },
      );
    }
    const where = and(
      pointing(relation, ownerKey(owner, relation)),
      visible(target),
      within(time, range.from, range.to),
    );
    if (isFalse(where)) return [];
    return findAll(this.source.current(), {
      entity: target,
      where,
      order: [{ on: { field: time }, direction: range.order ?? 'asc', nulls: 'last' }],
      ...(range.limit === undefined ? {} : { limit: range.limit }),
      populate: [],
      call: {},
    });
  }
}

/** Entities of the target that belong to the owner with this key. */
function pointing({ join }: RelationModel, key: readonly Value[]): Condition {
  if (join.via === 'link') return FALSE;
  return keysIn(join.targetFields, [alignKey(key, join.fields, join.targetFields)]);
}

/** A range of time, `from` included and `to` not; the ends are in the class's own form. */
export function within(time: Field, from: unknown, to: unknown): Condition {
  const on = { field: time };
  return and(
    from === undefined ? and() : { op: 'gte', on, value: time.codec.toRow(from) },
    to === undefined ? and() : { op: 'lt', on, value: time.codec.toRow(to) },
  );
}
