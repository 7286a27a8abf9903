/**
 * Fences at the ends of a relationship. Whoever writes a relationship that must last, or adds one, locks the nodes at its
 * ends first: so a node is not deleted beside it, and nothing is hung on a node that is not decided or about to go.
 */
import type { FenceOwner } from '@storeweave/core';
import type { Shape } from '../names.js';
import { lockCypher } from '../read.js';
import type { Scope } from '../scope.js';
import { type FenceOp, isFencedFor, ownerOf, UNIT } from './marks.js';

/**
 * Locks `a` and `b` and goes on with `row`, `a`, `b`, what else is to be carried, and `holders`: whose fences are in the way
 * there, except the owner's own.
 */
export function guardEnds(
  shape: Shape,
  scope: Scope,
  owner?: FenceOwner,
  { carry = [], against = ['insert', 'delete'] }: { carry?: readonly string[]; against?: readonly FenceOp[] } = {},
): string[] {
  const { ends, isPair } = shape;
  if (ends === undefined) return [];
  const own = owner === undefined ? undefined : scope.parameter(owner.unitOfWork);
  const parts = (['from', 'to'] as const).map((side) => ({ alias: side === 'from' ? 'a' : 'b', end: ends[side] }));
  const fenceable = parts.filter(({ end }) => !end.isReference);
  const holders = fenceable.map(({ alias }) => {
    const isOther = own === undefined ? '' : ` AND ${alias}.${UNIT} <> ${own}`;
    return `CASE WHEN ${isFencedFor(alias, against)}${isOther} THEN ${ownerOf(alias)} END`;
  });
  const locked = owner !== undefined && isPair ? parts : fenceable;
  return [
    ...locked.flatMap(({ alias }) => lockCypher(alias)),
    `WITH ${['row', 'a', 'b', ...carry].join(', ')}, [x IN [${holders.join(', ')}] WHERE x IS NOT NULL] AS holders`,
  ];
}
