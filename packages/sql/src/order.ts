/** Orders as SQL. */
import type { Order } from '@storeweave/core';
import type { TableScope } from './scope.js';

/** What an order sorts by: the operand, in a form that sorts as its values do. */
export function sortedBy({ on }: Order, table: TableScope): string {
  const { dialect } = table.scope;
  const operand = table.operand(on);
  if (on.path !== undefined && on.path.length > 0) return dialect.json.sortable(operand);
  return dialect.sortable(operand, on.field);
}

/** The terms behind `order by`; empty for no order. */
export function compileOrder(orders: readonly Order[] | undefined, table: TableScope): string {
  const { dialect } = table.scope;
  return (orders ?? []).map((order) => dialect.orderTerm(order, sortedBy(order, table))).join(', ');
}
