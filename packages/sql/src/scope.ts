/** What compiling one statement needs: its parameters so far, names for its tables, and where the fields are. */
import type { EntityModel, Field, Operand, Value } from '@storeweave/core';
import { arrayLiteral, quoteElement } from './array-literal.js';
import { castType } from './column-type.js';
import { encoderOf } from './encode.js';
import type { Layouts, TableLayout } from './layout.js';

export class Scope {
  readonly values: (string | null)[] = [];
  #aliases = 0;

  constructor(readonly layouts: Layouts) {}

  /** A parameter with a cast: `$3::integer`. */
  parameter(text: string | null, type: string): string {
    this.values.push(text);
    return `$${this.values.length}::${type}`;
  }

  /** A name for one more table of the statement. */
  alias(): string {
    return `t${this.#aliases++}`;
  }

  table(entity: EntityModel): TableScope {
    return new TableScope(this, this.layouts(entity), this.alias());
  }
}

/** One table within a statement. */
export class TableScope {
  constructor(
    readonly scope: Scope,
    readonly layout: TableLayout,
    readonly alias: string,
  ) {}

  get entity(): EntityModel {
    return this.layout.entity;
  }

  field(field: Field): string {
    return this.layout.expression(field, this.alias);
  }

  /** The operand's expression: the field, or the JSON value at the path, where JSON's own null counts as absent. */
  operand(on: Operand): string {
    const expression = this.field(on.field);
    if (on.path === undefined || on.path.length === 0) return expression;
    const keys = arrayLiteral(on.path, (key) => quoteElement(String(key)));
    return `nullif(${expression} #> ${this.scope.parameter(keys, 'text[]')}, 'null')`;
  }

  /** Type of the field's values in casts. */
  type(field: Field): string {
    return castType(this.layout.type(field));
  }

  /** A value of the field as a parameter. */
  value(field: Field, value: Value): string {
    return this.scope.parameter(encoderOf(this.entity, field).value(value), this.type(field));
  }

  /** Several values of the field as one array parameter; not for array fields. */
  list(field: Field, values: readonly Value[]): string {
    const encoder = encoderOf(this.entity, field);
    const literal = arrayLiteral(values, (value) => quoteElement(encoder.value(value)));
    return this.scope.parameter(literal, `${this.type(field)}[]`);
  }
}
