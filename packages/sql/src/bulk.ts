/** Updates and deletes by condition. */
import type { BulkWrite } from '@storeweave/core';
import { compileCondition } from './condition.js';
import type { Dialect } from './dialect.js';
import { andOfPart, type Layouts } from './layout.js';
import { Scope } from './scope.js';
import type { Statement } from './session.js';

export function compileBulk(write: BulkWrite, layouts: Layouts, given?: Dialect): Statement {
  const scope = new Scope(layouts, given);
  const { dialect } = scope;
  const table = scope.table(write.entity);
  const target = `${table.layout.table} as ${table.alias}`;
  const part = andOfPart(table.layout, table.alias);
  if (write.op === 'deleteWhere') {
    const where = `${compileCondition(write.where, table)}${part}`;
    return { text: dialect.deleteFrom(table.layout.table, table.alias, where), values: scope.values };
  }
  const assignments = [
    ...write.set.map(({ field, value }) => {
      const given = value === null || value === undefined ? 'null' : table.value(field, value);
      return `${dialect.quote(field.column)} = ${given}`;
    }),
    ...write.increment.map(
      ({ field, by }) => `${dialect.quote(field.column)} = ${dialect.increment(field, by, table)}`,
    ),
  ];
  return {
    text: `update ${target} set ${assignments.join(', ')} where ${compileCondition(write.where, table)}${part}`,
    values: scope.values,
  };
}
