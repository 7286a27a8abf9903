/** Updates and deletes by condition. */
import type { BulkWrite } from '@storeweave/core';
import { compileCondition } from './condition.js';
import { quoteName } from './identifier.js';
import { andOfPart, type Layouts } from './layout.js';
import { Scope } from './scope.js';
import type { Statement } from './session.js';

export function compileBulk(write: BulkWrite, layouts: Layouts): Statement {
  const scope = new Scope(layouts);
  const table = scope.table(write.entity);
  const target = `${table.layout.table} as ${table.alias}`;
  const part = andOfPart(table.layout, table.alias);
  if (write.op === 'deleteWhere') {
    return { text: `delete from ${target} where ${compileCondition(write.where, table)}${part}`, values: scope.values };
  }
  const assignments = [
    ...write.set.map(({ field, value }) => {
      const given = value === null || value === undefined ? 'null' : table.value(field, value);
      return `${quoteName(field.column)} = ${given}`;
    }),
    ...write.increment.map(
      ({ field, by }) => `${quoteName(field.column)} = coalesce(${table.field(field)}, 0) + ${table.value(field, by)}`,
    ),
  ];
  return {
    text: `update ${target} set ${assignments.join(', ')} where ${compileCondition(write.where, table)}${part}`,
    values: scope.values,
  };
}
