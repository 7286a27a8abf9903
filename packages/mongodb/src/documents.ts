/**
 * Changes inside documents without reading them. At a field they are MongoDB's own update operators. A path into json
 * goes by a pipeline instead: it makes the objects that are missing on the way, whatever stands there, keeps keys with
 * dots and dollars apart from paths and operators, and compares elements like every other condition does.
 */
import {
  type BulkUpdate,
  type EntityModel,
  JSON_NULL,
  type Json,
  NotNullViolationError,
  type Operand,
  type PatchOperation,
  type Value,
} from '@storeweave/core';
import type { Document } from 'mongodb';
import { type Expression, equals, isPosition, isType, step } from './json-condition.js';
import { jsonProblem } from './json-values.js';
import type { Shape } from './names.js';
import { scalarValues, valuesOf } from './values.js';
import { Changes } from './write.js';

/** The update that does all of these; undefined where there is nothing to do. */
export function patchUpdate(operations: readonly PatchOperation[], shape: Shape): Document | Document[] | undefined {
  const needsPipeline = operations.some(
    ({ op, on }) => hasPath(on) || ((op === 'push' || op === 'pull') && !on.field.array),
  );
  return needsPipeline ? pipeline(operations, shape) : operators(operations, shape);
}

export function bulkUpdate({ set, increment }: BulkUpdate, shape: Shape): Document | undefined {
  const changes = new Changes(shape);
  for (const { field, value } of set) changes.set(field, value);
  for (const { field, by } of increment) changes.increment(field, by);
  return changes.update();
}

function operators(operations: readonly PatchOperation[], shape: Shape): Document | undefined {
  const changes = new Changes(shape);
  const more: Document = {};
  for (const operation of operations) {
    const { field } = operation.on;
    switch (operation.op) {
      case 'set':
        changes.set(field, operation.value);
        break;
      case 'unset':
        changes.set(field, null);
        break;
      case 'inc':
        changes.increment(field, operation.by);
        break;
      case 'push':
      case 'pull': {
        const values = operation.values.map(scalarValues(shape.entity, field).encode);
        const name = operation.op === 'push' ? '$push' : '$pullAll';
        more[name] ??= {};
        (more[name] as Document)[shape.path(field)] = operation.op === 'push' ? { $each: values } : values;
      }
    }
  }
  return changes.update(more);
}

/** One stage for each operation, so that several on one json property see each other's result. */
function pipeline(operations: readonly PatchOperation[], shape: Shape): Document[] {
  return operations.map((operation) => {
    const { on } = operation;
    const path = shape.path(on.field);
    const own = `$${path}`;
    if (!hasPath(on) && operation.op === 'unset') return { $unset: path };
    const removes = operation.op === 'unset' || operation.op === 'pull';
    const changed = at(own, on.path ?? [], removes, (value) => apply(operation, value, shape));
    if (!removes) return { $set: { [path]: changed } };
    return { $set: { [path]: { $cond: [{ $eq: [{ $type: own }, 'missing'] }, REMOVE, changed] } } };
  });
}

const REMOVE = '$$REMOVE';

type Change = (value: Expression) => Expression;

/** The value with what is at the path changed. What removes makes no objects on the way to what is not there. */
function at(value: Expression, path: readonly string[], removes: boolean, change: Change): Expression {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const own = `$$at${rest.length}`;
  const inner = at(step(own, key), rest, removes, change);
  // An array has no such key: the server refuses to set one, where it would otherwise be lost for an object.
  const object = { $cond: [{ $or: [isType(own, 'object'), { $isArray: [own] }] }, own, {}] };
  const inObject: Expression = { $setField: { field: { $literal: key }, input: object, value: inner } };
  const array = inner === REMOVE ? without : inArray;
  const changed = isPosition(key)
    ? { $cond: [{ $isArray: [own] }, array(own, Number(key), inner), inObject] }
    : inObject;
  const whereThere = removes ? { $cond: [{ $gt: [step(own, key), null] }, changed, own] } : changed;
  return { $let: { vars: { [`at${rest.length}`]: { $ifNull: [value, null] } }, in: whereThere } };
}

/** The array with one element changed, and as long as that needs. */
function inArray(value: Expression, position: number, inner: Expression): Expression {
  const before = {
    $map: {
      input: { $range: [0, position] },
      as: 'i',
      in: { $ifNull: [{ $arrayElemAt: [value, '$$i'] }, null] },
    },
  };
  return { $concatArrays: [before, [inner], behind(value, position)] };
}

/** The array without an element that is there. */
function without(value: Expression, position: number): Expression {
  const before = position === 0 ? [] : { $slice: [value, position] };
  return { $concatArrays: [before, behind(value, position)] };
}

function behind(value: Expression, position: number): Expression {
  const rest = { $subtract: [{ $size: value }, position + 1] };
  return { $cond: [{ $gt: [rest, 0] }, { $slice: [value, position + 1, { $max: [1, rest] }] }, []] };
}

function apply(operation: PatchOperation, value: Expression, shape: Shape): Expression {
  const { on } = operation;
  switch (operation.op) {
    case 'set':
      return absent(operation.value) ? remove(on, shape.entity) : { $literal: encoded(operation.value, on, shape) };
    case 'unset':
      return REMOVE;
    case 'inc':
      return { $add: [{ $ifNull: [value, 0] }, { $literal: encoded(operation.by, on, shape) }] };
    case 'push': {
      const values = operation.values.map((each) => element(each, on, shape));
      return { $concatArrays: [{ $ifNull: [value, []] }, { $literal: values }] };
    }
    case 'pull': {
      const out = operation.values.map((each) =>
        on.field.array
          ? { $eq: ['$$element', { $literal: element(each, on, shape) }] }
          : equals('$$element', element(each, on, shape) as Json),
      );
      const rest = { $filter: { input: value, as: 'element', cond: { $not: [{ $or: out }] } } };
      return { $cond: [{ $gt: [value, null] }, rest, REMOVE] };
    }
  }
}

function remove({ field }: Operand, entity: EntityModel): Expression {
  if (field.nullable) return REMOVE;
  throw new NotNullViolationError(`${entity.name}.${field.name} must have a value, and none was given.`, {
    entity: entity.name,
    property: field.name,
  });
}

function absent(value: Value): boolean {
  return value === null || value === undefined;
}

function hasPath({ path }: Operand): boolean {
  return path !== undefined && path.length > 0;
}

/** A value at the operand; inside json it is JSON. */
function encoded(value: Value, on: Operand, shape: Shape): unknown {
  return hasPath(on) ? json(value, on, shape) : valuesOf(shape.entity, on.field).encode(value);
}

function element(value: Value, on: Operand, shape: Shape): unknown {
  return on.field.array ? scalarValues(shape.entity, on.field).encode(value) : json(value, on, shape);
}

function json(value: Value, { field }: Operand, shape: Shape): unknown {
  if (value === JSON_NULL) return null;
  return jsonProblem(value) === undefined ? value : valuesOf(shape.entity, field).encode(value);
}
