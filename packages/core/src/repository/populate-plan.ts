/**
 * What is to be populated, worked out from paths: a tree of relations, each with the filter, order and limit that it was
 * given. A misspelt path fails here, before any store is asked.
 */
import { InvalidQueryError } from '../errors/errors.js';
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import { describe, isPlainObject } from '../query/comparand.js';
import { and, TRUE } from '../query/logic.js';
import { membersOf, nearest } from '../query/members.js';
import { compileOrder } from '../query/order.js';
import { compileWhere, visible } from '../query/where.js';
import type { Condition } from '../store/condition.js';
import type { Order } from '../store/read.js';
import { cut } from './numbers.js';

/** Which of the related entities, in which order. */
interface RelatedFilter {
  readonly where: Condition;
  readonly order: readonly Order[];
  readonly limit?: number;
  readonly offset?: number;
}

export interface PopulateNode {
  readonly relation: RelationModel;
  /** Absent: all of them. */
  readonly filter?: RelatedFilter;
  /** What a reader sees of the target: deleted entities or not. */
  readonly seen: Condition;
  readonly children: readonly PopulateNode[];
}

interface Draft {
  readonly relation: RelationModel;
  filter?: RelatedFilter;
  readonly children: Map<string, Draft>;
}

/** The tree of `populate` and `related`. Throws `InvalidQueryError` for paths that are not relations. */
export function planPopulate(
  entity: EntityModel,
  populate: unknown,
  related: unknown,
  withDeleted: boolean | 'only' | undefined,
): PopulateNode[] {
  const roots = new Map<string, Draft>();
  if (populate !== undefined) {
    if (!Array.isArray(populate))
      throw refuse(entity, `populate takes a list of paths, and was given ${describe(populate)}`);
    for (const path of populate) draft(entity, roots, path);
  }
  if (related !== undefined) {
    if (!isPlainObject(related))
      throw refuse(entity, `related takes an object by path, and was given ${describe(related)}`);
    for (const [path, options] of Object.entries(related)) {
      const node = draft(entity, roots, path);
      node.filter = filterOf(node.relation, path, options);
    }
  }
  const finish = (drafts: Map<string, Draft>): PopulateNode[] =>
    [...drafts.values()].map(({ relation, filter, children }) => ({
      relation,
      ...(filter === undefined ? {} : { filter }),
      seen: visible(relation.target, withDeleted === true || withDeleted === 'only'),
      children: finish(children),
    }));
  return finish(roots);
}

/** One relation, all of it: what a container loads by itself. */
export function planRelation(relation: RelationModel): PopulateNode {
  return { relation, seen: visible(relation.target), children: [] };
}

function draft(entity: EntityModel, roots: Map<string, Draft>, path: unknown): Draft {
  if (typeof path !== 'string' || path === '') {
    throw refuse(
      entity,
      `a path to populate is a text such as 'author' or 'posts.author', and this is ${describe(path)}`,
    );
  }
  let owner = entity;
  let level = roots;
  let node: Draft | undefined;
  for (const step of path.split('.')) {
    const relation = owner.relationsByName.get(step);
    if (relation === undefined) throw notARelation(owner, step, path);
    node = level.get(step);
    if (node === undefined) {
      node = { relation, children: new Map() };
      level.set(step, node);
    }
    owner = relation.target;
    level = node.children;
  }
  if (node === undefined) throw refuse(entity, 'a path to populate is empty');
  return node;
}

function notARelation(owner: EntityModel, name: string, path: string): InvalidQueryError {
  if (membersOf(owner).has(name)) {
    return refuse(owner, `${name} is not a relation and needs no populate (in "${path}")`, name);
  }
  const names = [...owner.relationsByName.keys()];
  const near = nearest(name, names);
  const hint =
    near !== undefined ? `Did you mean "${near}"?` : names.length === 0 ? 'It has none' : `It has: ${names.join(', ')}`;
  return refuse(owner, `it has no relation "${name}" to populate (in "${path}"). ${hint}`, name);
}

function filterOf(relation: RelationModel, path: string, options: unknown): RelatedFilter | undefined {
  if (!isPlainObject(options)) {
    throw refuse(
      relation.owner,
      `related["${path}"] takes { where, orderBy, limit, offset }, and was given ${describe(options)}`,
    );
  }
  const { where, orderBy, limit, offset, ...rest } = options;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw refuse(
      relation.owner,
      `related["${path}"] knows where, orderBy, limit and offset, and not "${unknown}"`,
      relation.name,
    );
  }
  if ([where, orderBy, limit, offset].every((option) => option === undefined)) return undefined;
  if (relation.container === 'ref') {
    throw refuse(
      relation.owner,
      `related["${path}"] is a to-one relation, which has nothing to filter or cut. Put the filter in where: { ${path}: … }`,
      relation.name,
    );
  }
  const name = `related["${path}"]`;
  return {
    where: and(TRUE, compileWhere(relation.target, where)),
    order: compileOrder(relation.target, orderBy),
    ...cut(relation.target, limit, offset, name),
  };
}

function refuse(entity: EntityModel, problem: string, property?: string): InvalidQueryError {
  return new InvalidQueryError(`${entity.name}: ${problem}.`, {
    entity: entity.name,
    ...(property === undefined ? {} : { property }),
  });
}
