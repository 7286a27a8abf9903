/** Relations inside one store as EXISTS and as joins, whichever side has the key. */
import type { Condition, Field, RelationModel } from '@storeweave/core';
import { rowsOf } from './layout.js';
import type { TableScope } from './scope.js';

function matches(
  left: TableScope,
  leftFields: readonly Field[],
  right: TableScope,
  rightFields: readonly Field[],
): string {
  return leftFields.map((field, i) => `${left.field(field)} = ${right.field(rightFields[i] as Field)}`).join(' and ');
}

/** `target.key = owner.key`, for the two joins that need no link table. */
export function directMatch(relation: RelationModel, owner: TableScope, target: TableScope): string {
  const { join } = relation;
  if (join.via === 'link')
    throw new TypeError(`Relation ${relation.owner.name}.${relation.name} goes through a link table.`);
  return matches(owner, join.fields, target, join.targetFields);
}

export function relatedCondition(
  relation: RelationModel,
  where: Condition,
  owner: TableScope,
  compile: (condition: Condition, table: TableScope) => string,
): string {
  const { join } = relation;
  const target = owner.scope.table(relation.target);
  if (join.via !== 'link') {
    const on = directMatch(relation, owner, target);
    return `exists (select 1 from ${rowsOf(target.layout)} ${target.alias} where ${on} and ${compile(where, target)})`;
  }
  const link = owner.scope.table(join.link);
  const ownerIds = relation.owner.ids;
  const targetIds = relation.target.ids;
  const oneWay = (from: readonly Field[], to: readonly Field[]) =>
    `${matches(link, from, owner, ownerIds)} and ${matches(link, to, target, targetIds)}`;
  const on =
    join.direction === 'both'
      ? `(${oneWay(join.ownerFields, join.targetFields)} or ${oneWay(join.targetFields, join.ownerFields)})`
      : oneWay(join.ownerFields, join.targetFields);
  const tables = `${rowsOf(link.layout)} ${link.alias} cross join ${rowsOf(target.layout)} ${target.alias}`;
  return `exists (select 1 from ${tables} where ${on} and ${compile(where, target)})`;
}
