/**
 * Changes inside documents as one UPDATE: each operation is a step from one state of the document to the next, so that
 * several of them see each other's result, and no document is read by the application. Names of properties come from
 * the metadata; keys into a json property come from the application and are parameters.
 */
import {
  type BulkUpdate,
  type Condition,
  type EntityModel,
  InvalidQueryError,
  type Operand,
  type PatchOperation,
  type Value,
} from '@storeweave/core';
import {
  arrayLiteral,
  compileCondition,
  encoderOf,
  jsonText,
  type Layouts,
  quoteElement,
  quoteName,
  Scope,
  type Statement,
  type TableScope,
} from '@storeweave/sql';
import { quoteText } from '../schema/design.js';
import { elementJson, jsonOf, missing } from './document-json.js';
import type { DocumentLayout } from './document-layout.js';

export function compilePatch(
  entity: EntityModel,
  operations: readonly PatchOperation[],
  where: Condition,
  layouts: Layouts,
  layout: DocumentLayout,
): Statement {
  const scope = new Scope(layouts);
  const table = scope.table(entity);
  const assignments = operations
    .filter(({ on }) => layout.hasColumn(on.field))
    .map((operation) => columnAssignment(operation, table));
  const inside = operations.filter(({ on }) => !layout.hasColumn(on.field));
  if (inside.length > 0) {
    const name = quoteName(layout.documentColumn);
    assignments.push(`${name} = ${chained(inside, `${table.alias}.${name}`, table)}`);
  }
  return {
    text: `update ${layout.table} as ${table.alias} set ${assignments.join(', ')} where ${compileCondition(where, table)}`,
    values: scope.values,
  };
}

/** The operations that say the same as a bulk update. */
export function operationsOf({ set, increment }: BulkUpdate): PatchOperation[] {
  return [
    ...set.map(
      ({ field, value }): PatchOperation =>
        value === null || value === undefined ? { op: 'unset', on: { field } } : { op: 'set', on: { field }, value },
    ),
    ...increment.map(({ field, by }): PatchOperation => ({ op: 'inc', on: { field }, by })),
  ];
}

function columnAssignment(operation: PatchOperation, table: TableScope): string {
  const { field } = operation.on;
  const name = quoteName(field.column);
  switch (operation.op) {
    case 'set':
      return `${name} = ${table.value(field, operation.value)}`;
    case 'inc':
      return `${name} = coalesce(${table.field(field)}, 0) + ${table.value(field, operation.by)}`;
    default:
      throw new InvalidQueryError(
        `"${operation.op}" cannot be used on ${table.entity.name}.${field.name}, which is part of the key or the version.`,
        {
          entity: table.entity.name,
          property: field.name,
        },
      );
  }
}

/** Steps one after the other; `offset 0` keeps the planner from copying one step's text into each use of the next. */
function chained(operations: readonly PatchOperation[], document: string, table: TableScope): string {
  const [only, ...others] = operations;
  if (only !== undefined && others.length === 0) return step(only, document, table);
  const steps = operations.map(
    (operation, i) =>
      `${i === 0 ? '' : 'lateral '}(select ${step(operation, i === 0 ? document : `p${i}.d`, table)} as d offset 0) p${i + 1}`,
  );
  return `(select p${operations.length}.d from ${steps.join(', ')})`;
}

function step(operation: PatchOperation, document: string, table: TableScope): string {
  const { on } = operation;
  const path = pathOf(on, table);
  const current = `(${document} #> array[${path.join(', ')}])`;
  const isAbsent = `(${current} is null or ${current} = 'null'::jsonb)`;
  switch (operation.op) {
    case 'unset':
      return removed(on, document, path, table);
    case 'set':
      if (!hasPath(on) && (operation.value === null || operation.value === undefined))
        return removed(on, document, path, table);
      return put(document, path, table.scope.parameter(valueJson(on, operation.value, table), 'jsonb'));
    case 'inc':
      return put(document, path, incremented(on, operation.by, current, isAbsent, table));
    case 'push': {
      const values = table.scope.parameter(
        `[${operation.values.map((value) => partJson(on, value, table)).join(',')}]`,
        'jsonb',
      );
      // Asking something else than an array for its length is how the server is made to refuse.
      const list = `case when ${isAbsent} then '[]'::jsonb when jsonb_typeof(${current}) = 'array' then ${current} else to_jsonb(jsonb_array_length(${current})) end`;
      return put(document, path, `((${list}) || ${values})`);
    }
    case 'pull': {
      const literal = arrayLiteral(operation.values, (value) => quoteElement(partJson(on, value, table)));
      const left = `(select coalesce(jsonb_agg(e.v order by e.n), '[]'::jsonb) from jsonb_array_elements(${current}) with ordinality as e(v, n) where e.v <> all(${table.scope.parameter(literal, 'jsonb[]')}))`;
      return `(case when ${isAbsent} then ${document} else ${put(document, path, left)} end)`;
    }
  }
}

function removed(on: Operand, document: string, path: readonly string[], table: TableScope): string {
  if (!hasPath(on) && !on.field.nullable) throw missing(table.entity, on.field);
  return `(${document} #- array[${path.join(', ')}])`;
}

/** The document with a value at a path; objects on the way are made where there are none. */
function put(document: string, path: readonly string[], value: string, depth = 0): string {
  const here = depth === 0 ? document : `(${document} #> array[${path.slice(0, depth).join(', ')}])`;
  const inner = depth === path.length - 1 ? value : put(document, path, value, depth + 1);
  const container = `case when jsonb_typeof(${here}) in ('object', 'array') then ${here} else '{}'::jsonb end`;
  return `jsonb_set(${container}, array[${path[depth]}], ${inner})`;
}

const NUMBER_TYPES: Partial<Record<string, string>> = {
  integer: 'integer',
  bigint: 'bigint',
  float: 'double precision',
  decimal: 'numeric',
};

function incremented(on: Operand, by: Value, current: string, isAbsent: string, table: TableScope): string {
  const { field } = on;
  // The text of a JSON string has its quotes, so it is no number and is refused.
  if (hasPath(on)) {
    return `to_jsonb((case when ${isAbsent} then 0 else (${current})::text::numeric end) + ${table.scope.parameter(String(by), 'numeric')})`;
  }
  const type = field.array ? undefined : NUMBER_TYPES[field.type];
  if (type === undefined) {
    throw new InvalidQueryError(
      `${table.entity.name}.${field.name} is of type ${field.type} and cannot be incremented.`,
      {
        entity: table.entity.name,
        property: field.name,
      },
    );
  }
  const sum = `coalesce((${current} #>> '{}')::${type}, 0) + ${table.scope.parameter(encoderOf(table.entity, field).value(by), type)}`;
  return `to_jsonb((${sum})::${table.layout.type(field)})`;
}

function pathOf({ field, path = [] }: Operand, table: TableScope): string[] {
  return [...field.path.map(quoteText), ...path.map((key) => table.scope.parameter(key, 'text'))];
}

function hasPath(on: Operand): boolean {
  return on.path !== undefined && on.path.length > 0;
}

/** JSON of a whole value at the operand. */
function valueJson(on: Operand, value: Value, table: TableScope): string {
  return hasPath(on) ? plainJson(on, value, table) : jsonOf(table.entity, on.field)(value);
}

/** JSON of one element of the array at the operand. */
function partJson(on: Operand, value: Value, table: TableScope): string {
  return on.field.array ? elementJson(table.entity, on.field)(value) : plainJson(on, value, table);
}

function plainJson({ field }: Operand, value: Value, table: TableScope): string {
  const text = jsonText(value);
  if (text === undefined) throw encoderOf(table.entity, field).fail('it has no JSON form');
  return text;
}
