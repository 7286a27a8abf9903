/**
 * Cursors: the place of a row in an order, as an opaque text that may travel through a browser. It carries a fingerprint
 * of entity and order, so that a cursor of another list is refused instead of giving a page from nowhere.
 */
import { createHash } from 'node:crypto';
import { InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import type { Order } from '../store/read.js';

/** The cursor of a row whose values of the order's fields are these. */
export function encodeCursor(entity: EntityModel, order: readonly Order[], values: readonly Value[]): string {
  const content = [1, fingerprint(entity, order), ...order.map((part, at) => pack(part.on.field, values[at] ?? null))];
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** The values in a cursor, aligned with the order. Throws `InvalidQueryError` for anything that is not one of this list. */
export function decodeCursor(entity: EntityModel, order: readonly Order[], cursor: unknown, name: string): Value[] {
  const content = typeof cursor === 'string' ? parse(cursor) : undefined;
  if (!Array.isArray(content) || content[0] !== 1) {
    throw new InvalidQueryError(
      `${entity.name}: "${name}" is not a cursor. Pass startCursor or endCursor of an earlier page as it was given.`,
      { entity: entity.name },
    );
  }
  if (content[1] !== fingerprint(entity, order) || content.length !== order.length + 2) {
    throw new InvalidQueryError(
      `${entity.name}: the cursor in "${name}" belongs to another entity or order. Use it with the orderBy of the page it came from.`,
      { entity: entity.name },
    );
  }
  return order.map((part, at) => {
    const value = unpack(part.on.field, content[at + 2]);
    if (value !== undefined) return value;
    throw new InvalidQueryError(`${entity.name}: the cursor in "${name}" was altered; pass it as it was given.`, {
      entity: entity.name,
    });
  });
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function fingerprint(entity: EntityModel, order: readonly Order[]): string {
  const text = [entity.name, ...order.map((part) => `${part.on.field.name} ${part.direction} ${part.nulls}`)].join(
    '\n',
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 10);
}

function pack(field: Field, value: Value): unknown {
  if (value === null) return null;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return field.type === 'boolean' ? Boolean(value) : value;
}

/** The value again; undefined for what cannot have been packed. */
function unpack(field: Field, packed: unknown): Value | undefined {
  if (packed === null) return field.nullable ? null : undefined;
  switch (field.type) {
    case 'bigint':
      return typeof packed === 'string' ? integer(packed) : undefined;
    case 'timestamp':
      if (field.timePrecision !== 'ms') return typeof packed === 'string' ? integer(packed) : undefined;
      return typeof packed === 'number' ? packed : undefined;
    case 'integer':
      return typeof packed === 'number' && Number.isInteger(packed) ? packed : undefined;
    case 'float':
      if (typeof packed === 'string' && /^(-?Infinity|NaN)$/.test(packed)) return Number(packed);
      return typeof packed === 'number' ? packed : undefined;
    case 'boolean':
      return typeof packed === 'boolean' ? packed : undefined;
    case 'enum':
      return typeof packed === 'string' || typeof packed === 'number' ? packed : undefined;
    default:
      return typeof packed === 'string' ? packed : undefined;
  }
}

function integer(text: string): bigint | undefined {
  return /^-?\d{1,30}$/.test(text) ? BigInt(text) : undefined;
}
