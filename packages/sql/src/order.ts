/** Orders as SQL. `nulls` is only said where the field can be null, so that plain indexes serve the others. */
import type { Order } from '@storeweave/core';
import type { TableScope } from './scope.js';

/** One order, of an expression that may already have been computed. */
export function orderTerm(order: Order, expression: string): string {
  const canBeNull = order.on.field.nullable || (order.on.path !== undefined && order.on.path.length > 0);
  return `${expression} ${order.direction}${canBeNull ? ` nulls ${order.nulls}` : ''}`;
}

/** The terms behind `order by`; empty for no order. */
export function compileOrder(orders: readonly Order[] | undefined, table: TableScope): string {
  return (orders ?? []).map((order) => orderTerm(order, table.operand(order.on))).join(', ');
}
