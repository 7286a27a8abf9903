/**
 * Decides who answers a filter over a relation. A store that filters over its own relations is sent the condition as it
 * is. Otherwise the related entities' store is asked for keys first, and these become a plain condition on keys: this is
 * how "users whose profile (a document) says …" works between any two stores. Keys are bounded, so that a filter that
 * matches half the world is an error with advice and not a dead process.
 */
import { InvalidQueryError } from '../errors/errors.js';
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { Condition } from '../store/condition.js';
import { alignKey, keyText } from './key.js';
import { and, exists, FALSE, isFalse, keysIn, not, or, orAbsent } from './logic.js';
import { pagesByKey } from './pages.js';

/** Most keys that one side of a relation may contribute to a filter on the other. */
const SEMI_JOIN_LIMIT = 100_000;

const CHUNK = 10_000;

type Related = Extract<Condition, { op: 'related' }>;

/** The condition with everything resolved that the entity's store cannot answer by itself. */
export async function settle(
  work: WorkContext,
  entity: EntityModel,
  condition: Condition,
  call: CallOptions,
  limit: number = SEMI_JOIN_LIMIT,
): Promise<Condition> {
  switch (condition.op) {
    case 'and':
    case 'or': {
      if (!condition.conditions.some(hasRelated)) return condition;
      const parts: Condition[] = [];
      for (const part of condition.conditions) {
        const settled = await settle(work, entity, part, call, limit);
        if (condition.op === 'and' && isFalse(settled)) return FALSE;
        parts.push(settled);
      }
      return condition.op === 'and' ? and(...parts) : or(...parts);
    }
    case 'not':
      return not(await settle(work, entity, condition.condition, call, limit));
    case 'related': {
      const where = await settle(work, condition.relation.target, condition.where, call, limit);
      if (isFalse(where)) return FALSE;
      const inner = { ...condition, where };
      return insideOneStore(work, entity, condition.relation) ? inner : semiJoin(work, inner, call, limit);
    }
    default:
      return condition;
  }
}

/** Every entity whose rows decide about a condition, so that pending changes of them are written first. */
export function entitiesIn(condition: Condition): EntityModel[] {
  switch (condition.op) {
    case 'and':
    case 'or':
      return condition.conditions.flatMap(entitiesIn);
    case 'not':
      return entitiesIn(condition.condition);
    case 'related': {
      const { join, target } = condition.relation;
      return [target, ...(join.via === 'link' ? [join.link] : []), ...entitiesIn(condition.where)];
    }
    default:
      return [];
  }
}

function hasRelated(condition: Condition): boolean {
  return entitiesIn(condition).length > 0;
}

function insideOneStore(work: WorkContext, entity: EntityModel, { join, target }: RelationModel): boolean {
  // By the stores themselves and not by their names: an entity may still be on its way to the store of its name.
  if (!work.areTogether(entity, target)) return false;
  if (join.via === 'link' && !work.areTogether(entity, join.link)) return false;
  return work.store(entity).capabilities.relationFilters;
}

async function semiJoin(
  work: WorkContext,
  { relation, where }: Related,
  call: CallOptions,
  limit: number,
): Promise<Condition> {
  const { join, target } = relation;
  const read = (entity: EntityModel, fields: readonly Field[], condition: Condition) =>
    readKeys(work, { relation, entity, fields, condition }, call, limit);
  if (join.via !== 'link') {
    const present = and(...join.targetFields.filter((field) => field.nullable).map((field) => exists(field, true)));
    const keys = await read(target, join.targetFields, and(where, present));
    return keysIn(
      join.fields,
      keys.map((key) => alignKey(key, join.targetFields, join.fields)),
    );
  }
  const targets = keysAsked(target, where) ?? (await read(target, target.ids, where));
  if (targets.length === 0) return FALSE;
  const linked = (near: readonly Field[], far: readonly Field[]) =>
    read(
      join.link,
      near,
      keysIn(
        far,
        targets.map((key) => alignKey(key, target.ids, far)),
      ),
    );
  const owners = await linked(join.ownerFields, join.targetFields);
  if (join.direction === 'both') owners.push(...(await linked(join.targetFields, join.ownerFields)));
  const ids = relation.owner.ids;
  return keysIn(
    ids,
    owners.map((key) => alignKey(key, join.ownerFields, ids)),
  );
}

/** The ids that a condition asks for, where it asks for ids and nothing else. */
function keysAsked(entity: EntityModel, where: Condition): readonly (readonly Value[])[] | undefined {
  if (where.op === 'keys') return where.fields.every((field, at) => field === entity.ids[at]) ? where.rows : undefined;
  const [id] = entity.ids;
  if (where.op === 'eq') return entity.ids.length === 1 && where.on.field === id ? [[where.value]] : undefined;
  if (where.op !== 'in' || entity.ids.length !== 1 || where.on.field !== id) return undefined;
  return where.values.map((value) => [value]);
}

interface KeyQuery {
  readonly relation: RelationModel;
  readonly entity: EntityModel;
  readonly fields: readonly Field[];
  readonly condition: Condition;
}

async function readKeys(work: WorkContext, query: KeyQuery, call: CallOptions, limit: number): Promise<Value[][]> {
  const { relation, entity, fields, condition } = query;
  if (isFalse(condition)) return [];
  const access = await work.access(entity, [entity, ...entitiesIn(condition)], call);
  const keys = new Map<string, Value[]>();
  const spec = { entity, fields, where: orAbsent(condition) };
  for await (const rows of pagesByKey(work.store(entity), spec, access, CHUNK)) {
    for (const row of rows) {
      const key = row.slice(0, fields.length);
      const text = keyText(key);
      if (text !== undefined) keys.set(text, key);
    }
    if (keys.size > limit) {
      throw new InvalidQueryError(
        `The filter on ${relation.owner.name}.${relation.name} matches more than ${limit} keys of ${entity.name} in store "${entity.store}", too many to look up in store "${relation.owner.store}". Narrow the filter, or start from ${relation.target.name} and populate.`,
        { entity: relation.owner.name, property: relation.name, store: entity.store },
      );
    }
  }
  return [...keys.values()];
}
