/**
 * What differs between SQL databases in how a neutral request is said: names, parameters, batches, patterns, JSON, the
 * place of nulls. The compilers ask a dialect and never which product it is for. PostgreSQL's is the default; one
 * for another database is written beside it, and what it cannot say its store does not claim.
 */
import type {
  EntityModel,
  Field,
  InvalidValueError,
  Operand,
  Order,
  ReadSpec,
  StoreInspection,
  Value,
} from '@storeweave/core';
import type { Decode } from './decode.js';
import type { WriteDialect } from './portable/write-dialect.js';

/** Text form of a field's values, checked; none takes null. */
export interface ValueEncoder {
  readonly value: (value: Value) => string;
  readonly fail: (problem: string, cause?: unknown) => InvalidValueError;
}

/** The parameters of a statement so far. */
export interface Parameters {
  readonly values: (string | null)[];
  /** One more, in the way of `Dialect.parameter`. */
  parameter(text: string | null, type: string): string;
}

/** A table within a statement. */
export interface TableTerms {
  readonly entity: EntityModel;
  readonly scope: Parameters;
  /** Expression of a field. */
  field(field: Field): string;
  /** A value of a field as a parameter. */
  value(field: Field, value: Value): string;
  /** Several values of the field as one array parameter, where the database has arrays; not for array fields. */
  list(field: Field, values: readonly Value[]): string;
}

export type Comparison = '=' | '<>' | '>' | '>=' | '<' | '<=';

export interface Dialect {
  quote(name: string): string;
  /** A text as a literal, for defaults in a schema. */
  literal(text: string): string;
  /** Placeholder of the n-th value in the user's own SQL. */
  placeholder(n: number): string;
  /** The n-th parameter, cast. Types in PostgreSQL's words: `text`, `bigint`, `numeric`, `double precision`, `jsonb`. */
  parameter(n: number, type: string): string;
  /** A text parameter of a field's value; `type` is that of its column. */
  fieldParameter(n: number, field: Field, type: string): string;
  columnType(field: Field): string;
  encoder(entity: EntityModel, field: Field): ValueEncoder;
  /** Undefined where the text is the value. */
  decoder(field: Field): Decode | undefined;
  /** Column of an answer whose text the field's decoder reads. */
  selected(expression: string, field: Field): string;
  /** A form of the field's values that `<` and `order by` put in their order. */
  sortable(expression: string, field: Field): string;

  /** True also where one of the two is null; false where both are. */
  isDistinct(left: string, right: string): string;
  isOneOf(field: Field, values: readonly Value[], table: TableTerms): string;
  /** The tuple of fields is one of the rows; several of each. */
  hasKeys(fields: readonly Field[], rows: readonly (readonly Value[])[], table: TableTerms): string;
  like(op: 'like' | 'ilike', text: string, pattern: string, scope: Parameters): string;
  /** The text has this part, letter by letter. */
  hasPart(text: string, part: string, scope: Parameters): string;
  /** Text of a field that is none. */
  asText(expression: string): string;
  /** An array field has all of these elements. */
  hasElements(field: Field, elements: readonly Value[], table: TableTerms): string;
  readonly json: JsonDialect;

  /** Terms of `order by` for one order. */
  orderTerm(order: Order, expression: string): string;
  /** Term of `order by` for a column of an aggregation, by its position or by what it sorts by; absent values last. */
  outputOrder(position: number, sorted: string, direction: 'asc' | 'desc'): string;
  limit(scope: Parameters, limit: number | undefined, offset: number | undefined): string;
  lock(kind: NonNullable<ReadSpec['lock']>, alias: string): string;
  /** `field + by` for a bulk update, where an absent value counts as 0. */
  increment(field: Field, by: Value, table: TableTerms): string;
  deleteFrom(table: string, alias: string, where: string): string;
  readonly aggregates: AggregateDialect;

  /** True where `declare … cursor` works inside a transaction. */
  readonly cursors: boolean;
  /** How batches are written where the database has no arrays; absent where it has. */
  readonly writes?: WriteDialect;

  /** Statements after which the next generated id is greater than every stored one. */
  advanceSequences(
    entity: EntityModel,
    table: string,
  ): { readonly text: string; readonly values: readonly string[]; readonly about: EntityModel }[];
  /** What the server says of itself; `ask` gives the first row of the answer. */
  inspect(ask: (text: string) => Promise<readonly (string | null)[]>): Promise<StoreInspection>;
  /** Decoder by the type of a column of the user's own SQL. */
  decoderOfType(type: number): Decode | undefined;
  /** What the driver is given for a value of the user's own SQL; undefined where it has no form. */
  rawValue(value: unknown): unknown;
}

/** JSON values: fields of type json, and what is inside them. */
export interface JsonDialect {
  /** The value at a path; null where there is none, or JSON's own null. */
  at(expression: string, path: readonly string[], scope: Parameters): string;
  /** JSON text as a parameter. */
  value(json: string, scope: Parameters): string;
  equals(left: string, right: string): string;
  isOneOf(left: string, jsons: readonly string[], scope: Parameters): string;
  /** Compares among values of one JSON type; null or false across types. `sample` is the value of `right`. */
  compares(left: string, operator: Comparison, right: string, sample: Value): string;
  contains(left: string, json: string, scope: Parameters): string;
  /** The string, or null for a value of another type. */
  string(expression: string): string;
  number(expression: string): string;
  /** A form that `order by` puts in order. */
  sortable(expression: string): string;
}

/** Functions over groups. */
export interface AggregateDialect {
  /** Of integers, bigints, decimals or floats; the answer is text of the exact sum. */
  sum(expression: string, type: Field['type']): string;
  avg(expression: string, type: Field['type']): string;
  extreme(name: 'min' | 'max', expression: string, on: Operand): string;
  /** A form of a sum that `order by` puts in order. */
  sortable(sum: string, type: Field['type']): string;
  /** Compares a sum (exact unless of floats) or mean with a number, in `having`. */
  compares(result: string, operator: string, value: string, isExact: boolean): string;
}
