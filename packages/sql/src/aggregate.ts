/**
 * Grouping as SQL. What comes out: counts and sums of integers are numbers (a sum beyond 2^53 a bigint), sums of bigint
 * are bigint, sums of decimals decimal strings, means numbers; `min`, `max` and group values have the neutral form of
 * their field, values inside json their JSON form.
 */
import {
  type AggregateColumn,
  type AggregateSpec,
  InvalidQueryError,
  type RelationModel,
  type Value,
} from '@storeweave/core';
import { compileCondition } from './condition.js';
import { type Decode, decoderOf } from './decode.js';
import { encoderOf } from './encode.js';
import { type Layouts, rowsOf } from './layout.js';
import { directMatch } from './related.js';
import { Scope, type TableScope } from './scope.js';
import type { Statement } from './session.js';

interface Output {
  readonly expression: string;
  readonly decode: Decode | undefined;
  /** A comparand of `having`. */
  readonly parameter: (value: Value) => string;
}

const comparisons = { eq: '=', ne: 'is distinct from', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

const sumOf: Decode = (text) => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
};

export function compileAggregate(
  spec: AggregateSpec,
  layouts: Layouts,
): { readonly statement: Statement; readonly decoders: (Decode | undefined)[] } {
  const scope = new Scope(layouts);
  const root = scope.table(spec.entity);
  const joins = new Joins(root);
  const outputs = spec.columns.map((column) => output(column, joins.along(column.through ?? [])));
  const byAlias = new Map(spec.columns.map((column, i) => [column.alias, i]));
  const position = (alias: string): number => {
    const at = byAlias.get(alias);
    if (at !== undefined) return at;
    throw new InvalidQueryError(
      `The aggregation of ${spec.entity.name} has no column "${alias}"; it has ${[...byAlias.keys()].join(', ')}.`,
      {
        entity: spec.entity.name,
      },
    );
  };
  let text = `select ${outputs.map(({ expression }) => expression).join(', ')} from ${rowsOf(root.layout)} ${root.alias}${joins.sql}`;
  if (spec.where !== undefined) text += ` where ${compileCondition(spec.where, root)}`;
  const groups = spec.columns.flatMap((column, i) => (column.function === undefined ? [String(i + 1)] : []));
  if (groups.length > 0) text += ` group by ${groups.join(', ')}`;
  if (spec.having !== undefined && spec.having.length > 0) {
    const terms = spec.having.map(({ alias, op, value }) => {
      const { expression, parameter } = outputs[position(alias)] as Output;
      return `${expression} ${comparisons[op]} ${parameter(value)}`;
    });
    text += ` having ${terms.join(' and ')}`;
  }
  if (spec.order !== undefined && spec.order.length > 0) {
    text += ` order by ${spec.order.map(({ alias, direction }) => `${position(alias) + 1} ${direction} nulls last`).join(', ')}`;
  }
  if (spec.limit !== undefined) text += ` limit ${scope.parameter(String(spec.limit), 'bigint')}`;
  if (spec.offset !== undefined) text += ` offset ${scope.parameter(String(spec.offset), 'bigint')}`;
  return { statement: { text, values: scope.values }, decoders: outputs.map(({ decode }) => decode) };
}

/** Left joins along to-one relations, each path once. */
class Joins {
  sql = '';
  readonly #tables = new Map<string, TableScope>();

  constructor(private readonly root: TableScope) {}

  along(path: readonly string[]): TableScope {
    let owner = this.root;
    path.forEach((name, i) => {
      const key = path.slice(0, i + 1).join('.');
      let target = this.#tables.get(key);
      if (target === undefined) {
        const relation = toOne(owner, name);
        target = owner.scope.table(relation.target);
        this.sql += ` left join ${rowsOf(target.layout)} ${target.alias} on ${directMatch(relation, owner, target)}`;
        this.#tables.set(key, target);
      }
      owner = target;
    });
    return owner;
  }
}

function toOne(owner: TableScope, name: string): RelationModel {
  const relation = owner.entity.relationsByName.get(name);
  if (relation !== undefined && relation.container === 'ref' && relation.join.via !== 'link') return relation;
  throw new InvalidQueryError(`An aggregation joins to-one relations only; ${owner.entity.name}.${name} is none.`, {
    entity: owner.entity.name,
    property: name,
  });
}

function output(column: AggregateColumn, table: TableScope): Output {
  const { on } = column;
  const typed = (type: string) => (value: Value) => table.scope.parameter(String(value), type);
  if (on === undefined) {
    if (column.function === 'count') return { expression: 'count(*)', decode: Number, parameter: typed('bigint') };
    throw new InvalidQueryError(
      `"${column.alias}" of the aggregation of ${table.entity.name} has no field to work on.`,
      { entity: table.entity.name },
    );
  }
  const { field } = on;
  const operand = table.operand(on);
  const isPath = on.path !== undefined && on.path.length > 0;
  const own: Pick<Output, 'decode' | 'parameter'> = isPath
    ? { decode: JSON.parse, parameter: (value) => table.scope.parameter(JSON.stringify(value), 'jsonb') }
    : {
        decode: decoderOf(field),
        parameter: (value) => table.scope.parameter(encoderOf(table.entity, field).value(value), table.type(field)),
      };
  const numeric = isPath
    ? `(case when jsonb_typeof(${operand}) = 'number' then (${operand} #>> '{}')::double precision end)`
    : operand;
  switch (column.function) {
    case undefined:
      return { expression: operand, ...own };
    case 'count':
      return { expression: `count(${operand})`, decode: Number, parameter: typed('bigint') };
    case 'countDistinct':
      return { expression: `count(distinct ${operand})`, decode: Number, parameter: typed('bigint') };
    case 'sum':
      if (isPath || field.type === 'float')
        return { expression: `sum(${numeric})`, decode: Number, parameter: typed('double precision') };
      return { expression: `sum(${numeric})`, decode: sumDecoder(column, table), parameter: typed('numeric') };
    case 'avg':
      if (isPath || field.type === 'float')
        return { expression: `avg(${numeric})`, decode: Number, parameter: typed('double precision') };
      sumDecoder(column, table);
      return {
        expression: `avg(${numeric})`,
        decode: Number,
        parameter: typed('numeric'),
      };
    case 'min':
      return { expression: extreme(operand, 'min', isPath ? undefined : field.type), ...own };
    case 'max':
      return { expression: extreme(operand, 'max', isPath ? undefined : field.type), ...own };
  }
}

function sumDecoder({ on, alias, function: name }: AggregateColumn, table: TableScope): Decode | undefined {
  const type = on?.field.array === true ? 'array' : on?.field.type;
  if (type === 'integer') return sumOf;
  if (type === 'bigint') return BigInt;
  if (type === 'decimal') return undefined;
  throw new InvalidQueryError(
    `"${name}" of ${table.entity.name}.${on?.field.name} ("${alias}") needs numbers; the field is of type ${type}.`,
    {
      entity: table.entity.name,
      property: on?.field.name,
    },
  );
}

/** Types that have an order but, in PostgreSQL before 18, no `min` and `max`. */
const withoutExtremes: ReadonlySet<string | undefined> = new Set([undefined, 'uuid', 'boolean', 'json', 'bytes']);

function extreme(operand: string, name: 'min' | 'max', type: string | undefined): string {
  if (!withoutExtremes.has(type)) return `${name}(${operand})`;
  return `(array_agg(${operand} order by ${operand} ${name === 'min' ? 'asc' : 'desc'}) filter (where ${operand} is not null))[1]`;
}
