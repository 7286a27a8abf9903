/** Reads as SQL: plain ones, ones limited per group, and counts. */
import { type Condition, type EntityModel, InvalidQueryError, type ReadSpec } from '@storeweave/core';
import { compileCondition } from './condition.js';
import type { Dialect } from './dialect.js';
import { type Layouts, rowsOf } from './layout.js';
import { compileOrder, sortedBy } from './order.js';
import { Scope, type TableScope } from './scope.js';
import type { Statement } from './session.js';

function columns(spec: ReadSpec, table: TableScope): string {
  return spec.fields.map((field) => table.scope.dialect.selected(table.field(field), field)).join(', ');
}

function filter(where: Condition | undefined, table: TableScope): string {
  return where === undefined ? '' : ` where ${compileCondition(where, table)}`;
}

/** Rows aligned with `spec.fields`. */
export function compileSelect(spec: ReadSpec, layouts: Layouts, dialect?: Dialect): Statement {
  if (spec.perGroup !== undefined) return compileGrouped(spec, spec.perGroup, layouts, dialect);
  const scope = new Scope(layouts, dialect);
  const table = scope.table(spec.entity);
  let text = `select ${columns(spec, table)} from ${rowsOf(table.layout)} ${table.alias}${filter(spec.where, table)}`;
  const order = compileOrder(spec.order, table);
  if (order !== '') text += ` order by ${order}`;
  text += scope.dialect.limit(scope, spec.limit, spec.offset);
  if (spec.lock !== undefined) text += scope.dialect.lock(spec.lock, table.alias);
  return { text, values: scope.values };
}

function compileGrouped(
  spec: ReadSpec,
  groups: NonNullable<ReadSpec['perGroup']>,
  layouts: Layouts,
  dialect?: Dialect,
): Statement {
  if (spec.lock !== undefined) {
    throw new InvalidQueryError(
      `A read of ${spec.entity.name} with a limit per group cannot lock its rows. Read them first, then lock by id.`,
      {
        entity: spec.entity.name,
      },
    );
  }
  const scope = new Scope(layouts, dialect);
  const { orderTerm, selected } = scope.dialect;
  const table = scope.table(spec.entity);
  const terms = (spec.order ?? []).map((order) => ({ order, expression: sortedBy(order, table) }));
  const partition = groups.map((field) => table.field(field)).join(', ');
  const inner = terms.map(({ order, expression }) => orderTerm(order, expression)).join(', ');
  const listed = [
    ...spec.fields.map((field, i) => `${selected(table.field(field), field)} as c${i}`),
    ...terms.map(({ expression }, i) => `${expression} as o${i}`),
    `row_number() over (partition by ${partition}${inner === '' ? '' : ` order by ${inner}`}) as n`,
  ];
  const source = `select ${listed.join(', ')} from ${rowsOf(table.layout)} ${table.alias}${filter(spec.where, table)}`;
  const offset = spec.offset ?? 0;
  const bounds = [`n > ${scope.parameter(String(offset), 'bigint')}`];
  if (spec.limit !== undefined) bounds.push(`n <= ${scope.parameter(String(offset + spec.limit), 'bigint')}`);
  const outer = terms.map(({ order }, i) => orderTerm(order, `o${i}`)).join(', ');
  const text = `select ${spec.fields.map((_, i) => `c${i}`).join(', ')} from (${source}) g where ${bounds.join(' and ')}`;
  return { text: outer === '' ? text : `${text} order by ${outer}`, values: scope.values };
}

export function compileCount(
  entity: EntityModel,
  where: Condition | undefined,
  layouts: Layouts,
  dialect?: Dialect,
): Statement {
  const scope = new Scope(layouts, dialect);
  const table = scope.table(entity);
  return {
    text: `select count(*) from ${rowsOf(table.layout)} ${table.alias}${filter(where, table)}`,
    values: scope.values,
  };
}
