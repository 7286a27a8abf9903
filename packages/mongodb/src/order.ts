/**
 * Orders as sort keys. MongoDB puts absent values before all others: where that is what was asked for, the sort is the
 * server's own and an index can serve it; elsewhere a key is computed that says whether there is a value. Decimals that
 * may be longer than Decimal128 sort by the rounded value first and by all digits then.
 */
import type { Order } from '@storeweave/core';
import { mayBeLong } from './decimal.js';
import { type Expression, isJson, operandExpression } from './json-condition.js';
import type { Shape } from './names.js';

export interface SortPlan {
  /** Fields to compute before sorting; none where the server's own order will do. */
  readonly computed: Record<string, Expression>;
  readonly sort: Record<string, 1 | -1>;
}

export function sortPlan(orders: readonly Order[] | undefined, shape: Shape): SortPlan {
  const computed: Record<string, Expression> = {};
  const sort: Record<string, 1 | -1> = {};
  const compute = (expression: Expression, direction: 1 | -1) => {
    const name = `__sort${Object.keys(computed).length}`;
    computed[name] = expression;
    sort[name] = direction;
  };
  for (const order of orders ?? []) {
    const { on, nulls } = order;
    const direction = order.direction === 'asc' ? 1 : -1;
    const own = operandExpression(on, shape);
    const canBeAbsent = on.field.nullable || isJson(on);
    const isNative = (nulls === 'first') === (direction === 1);
    if (canBeAbsent && !isNative) {
      compute({ $cond: [{ $gt: [own, null] }, 1, 0] }, nulls === 'first' ? 1 : -1);
    }
    if (isJson(on)) compute(own, direction);
    else if (mayBeLong(on.field)) {
      const path = shape.path(on.field);
      compute({ $ifNull: [`$${path}.near`, `$${path}`] }, direction);
      sort[`${path}.exact`] = direction;
    } else sort[shape.path(on.field)] = direction;
  }
  return { computed, sort };
}
