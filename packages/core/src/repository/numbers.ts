/** Limits and offsets, checked: a `limit` of NaN or -1 is a mistake of the caller's, not a question for a store. */
import { InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { describe } from '../query/comparand.js';

/** A whole number from `least` on; undefined stays undefined. */
export function whole(entity: EntityModel, name: string, value: unknown, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidQueryError(
    `${entity.name}: ${name} is a whole number from ${least} on, and was given ${describe(value)}.`,
    {
      entity: entity.name,
    },
  );
}

/** `limit` and `offset`, where given. */
export function cut(
  entity: EntityModel,
  limit: unknown,
  offset: unknown,
  where = 'find',
): { readonly limit?: number; readonly offset?: number } {
  const checkedLimit = whole(entity, `limit of ${where}`, limit, 0);
  const checkedOffset = whole(entity, `offset of ${where}`, offset, 0);
  return {
    ...(checkedLimit === undefined ? {} : { limit: checkedLimit }),
    ...(checkedOffset === undefined || checkedOffset === 0 ? {} : { offset: checkedOffset }),
  };
}
