/** Changes inside a document: set, unset, inc, push and pull, at a field or at a path into a json field. */
import {
  addValues,
  arrayPosition,
  type Field,
  InvalidValueError,
  JSON_NULL,
  type Operand,
  type PatchOperation,
  type PatchSpec,
  rowKey,
  type Value,
  valueKey,
} from '@storeweave/core';
import { operandValue, predicate } from './condition.js';
import { identityOf } from './tables.js';
import type { MemoryTransaction } from './transaction.js';
import { cell, copy } from './values.js';
import type { Wait } from './write.js';

export function patch(spec: PatchSpec, transaction: MemoryTransaction, wait: Wait): Promise<number> {
  const { entity, target } = spec;
  return transaction.statement(async () => {
    const where = 'where' in target ? target.where : undefined;
    const identities =
      'keys' in target
        ? target.keys.map((key) => rowKey(key))
        : [...transaction.rows(entity)]
            .filter(predicate(target.where, transaction))
            .map((row) => identityOf(entity, row));
    let count = 0;
    for (const identity of identities) {
      await transaction.lockRow(entity, identity, wait);
      const row = transaction.row(entity, identity);
      if (row === undefined || (where !== undefined && !predicate(where, transaction)(row))) continue;
      const changed: Record<string, Value> = { ...row };
      for (const operation of spec.operations) {
        const { field } = operation.on;
        // What is not there needs no taking out, and no objects on the way to it.
        const removes = operation.op === 'unset' || operation.op === 'pull';
        if (removes && operandValue(changed, operation.on) === null) continue;
        changed[field.column] = at(cell(changed, field), operation.on, 0, (value) => apply(operation, field, value));
      }
      transaction.put(entity, changed);
      transaction.checkUnique(entity, changed);
      count++;
    }
    return count;
  });
}

/** Changes the value at the path, making the objects on the way where they are absent. `undefined`: take it out. */
function at(value: Value, on: Operand, depth: number, change: (value: Value) => Value | undefined): Value {
  const key = on.path?.[depth];
  if (key === undefined) return change(value) ?? null;
  const container = value === null || value === JSON_NULL || typeof value !== 'object' ? {} : copy(value);
  const isLast = depth === (on.path?.length ?? 0) - 1;
  if (Array.isArray(container)) {
    const place = arrayPosition(key);
    if (Number.isNaN(place))
      throw new InvalidValueError(`${on.field.name} has an array where "${key}" is to be set, which is no position.`, {
        property: on.field.name,
      });
    const inner = isLast ? change(container[place] ?? null) : at(container[place] ?? null, on, depth + 1, change);
    while (inner !== undefined && container.length < place) container.push(null);
    if (inner === undefined) container.splice(place, 1);
    else container[place] = inner === JSON_NULL ? null : inner;
    return container;
  }
  const object = container as Record<string, Value>;
  const own = Object.hasOwn(object, key) ? (object[key] ?? null) : null;
  const inner = isLast ? change(own) : at(own, on, depth + 1, change);
  if (inner === undefined) delete object[key];
  else object[key] = inner === JSON_NULL ? null : inner;
  return object;
}

function apply(operation: PatchOperation, field: Field, value: Value): Value | undefined {
  switch (operation.op) {
    case 'set':
      return copy(operation.value);
    case 'unset':
      return undefined;
    case 'inc': {
      if (value !== null && typeof value !== 'number' && typeof value !== 'bigint' && field.type !== 'decimal')
        throw new InvalidValueError(`${field.name} holds ${JSON.stringify(value)}, which is no number to increment.`, {
          property: field.name,
        });
      return addValues(operation.on.path === undefined ? field : { ...field, type: 'float' }, value, operation.by);
    }
    case 'push':
      return [...list(value, field), ...operation.values.map(copy)];
    case 'pull': {
      const out = new Set(operation.values.map(valueKey));
      return list(value, field).filter((element) => !out.has(valueKey(element)));
    }
  }
}

function list(value: Value, field: Field): readonly Value[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw new InvalidValueError(`${field.name} holds ${JSON.stringify(value)}, which is no array.`, {
    property: field.name,
  });
}
