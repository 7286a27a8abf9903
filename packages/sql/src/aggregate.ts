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
import type { Decode } from './decode.js';
import type { Dialect } from './dialect.js';
import { type Layouts, rowsOf } from './layout.js';
import { directMatch } from './related.js';
import { Scope, type TableScope } from './scope.js';
import type { Statement } from './session.js';

interface Output {
  /** What is compared, ordered and grouped. */
  readonly expression: string;
  /** What is answered; `expression` if absent. */
  readonly answered?: string;
  readonly decode: Decode | undefined;
  /** A comparand of `having`. */
  readonly parameter: (value: Value) => string;
  /** What `order by` sorts by; `expression` if absent. */
  readonly sorted?: string;
  /** For a number that a function made: whether it is exact. */
  readonly isExact?: boolean;
}

const comparisons = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

const sumOf: Decode = (text) => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
};

export function compileAggregate(
  spec: AggregateSpec,
  layouts: Layouts,
  given?: Dialect,
): { readonly statement: Statement; readonly decoders: (Decode | undefined)[] } {
  const scope = new Scope(layouts, given);
  const { dialect } = scope;
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
  let text = `select ${outputs.map(({ expression, answered = expression }) => answered).join(', ')} from ${rowsOf(root.layout)} ${root.alias}${joins.sql}`;
  if (spec.where !== undefined) text += ` where ${compileCondition(spec.where, root)}`;
  const groups = spec.columns.flatMap((column, i) => {
    if (column.function !== undefined) return [];
    return [outputs[i]?.answered === undefined ? String(i + 1) : (outputs[i]?.expression ?? '')];
  });
  if (groups.length > 0) text += ` group by ${groups.join(', ')}`;
  if (spec.having !== undefined && spec.having.length > 0) {
    const terms = spec.having.map(({ alias, op, value }) => {
      const { expression, parameter, isExact } = outputs[position(alias)] as Output;
      const compared = (operator: string) =>
        isExact !== undefined
          ? dialect.aggregates.compares(expression, operator, parameter(value), isExact)
          : `${expression} ${operator} ${parameter(value)}`;
      return op === 'ne' ? `(${compared('=')}) is not true` : compared(comparisons[op]);
    });
    text += ` having ${terms.join(' and ')}`;
  }
  if (spec.order !== undefined && spec.order.length > 0) {
    const terms = spec.order.map(({ alias, direction }) => {
      const at = position(alias);
      const { expression, sorted = expression } = outputs[at] as Output;
      return dialect.outputOrder(at + 1, sorted, direction);
    });
    text += ` order by ${terms.join(', ')}`;
  }
  text += dialect.limit(scope, spec.limit, spec.offset);
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
  const { dialect } = table.scope;
  const { aggregates, json } = dialect;
  const operand = table.operand(on);
  const isPath = on.path !== undefined && on.path.length > 0;
  const own: Pick<Output, 'decode' | 'parameter'> = isPath
    ? { decode: JSON.parse, parameter: (value) => json.value(JSON.stringify(value), table.scope) }
    : { decode: dialect.decoder(field), parameter: (value) => table.value(field, value) };
  const counted = { decode: Number, parameter: typed('bigint') };
  const float = isPath || field.type === 'float';
  const numeric = isPath ? json.number(operand) : operand;
  const type = isPath ? 'float' : field.type;
  const forms = (expression: string): Pick<Output, 'answered' | 'sorted'> => {
    const answered = isPath ? expression : dialect.selected(expression, field);
    const sorted = isPath ? json.sortable(expression) : dialect.sortable(expression, field);
    return {
      ...(answered === expression ? {} : { answered }),
      ...(sorted === expression ? {} : { sorted }),
    };
  };
  switch (column.function) {
    case undefined:
      return { expression: operand, ...forms(operand), ...own };
    case 'count':
      return { expression: `count(${operand})`, ...counted };
    case 'countDistinct':
      return { expression: `count(distinct ${operand})`, ...counted };
    case 'sum': {
      const expression = aggregates.sum(numeric, type);
      const sorted = aggregates.sortable(expression, type);
      return {
        expression,
        decode: float ? Number : sumDecoder(column, table),
        parameter: typed(float ? 'double precision' : 'numeric'),
        isExact: !float,
        ...(sorted === expression ? {} : { sorted }),
      };
    }
    case 'avg':
      if (!float) sumDecoder(column, table);
      return {
        expression: aggregates.avg(numeric, type),
        decode: Number,
        parameter: typed(float ? 'double precision' : 'numeric'),
        isExact: false,
      };
    case 'min':
    case 'max': {
      const expression = aggregates.extreme(column.function, operand, on);
      return { expression, ...forms(expression), ...own };
    }
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
