/** What compiling one statement needs: its parameters so far, names for its tables, and where the fields are. */
import type { EntityModel, Field, Operand, Value } from '@storeweave/core';
import { arrayLiteral, quoteElement } from './array-literal.js';
import { castType } from './column-type.js';
import type { Dialect, Parameters, TableTerms } from './dialect.js';
import type { Layouts, TableLayout } from './layout.js';
import { pgDialect } from './pg-dialect.js';

export class Scope implements Parameters {
  readonly values: (string | null)[] = [];
  #aliases = 0;

  constructor(
    readonly layouts: Layouts,
    readonly dialect: Dialect = pgDialect,
  ) {}

  /** A parameter with a cast: `$3::integer`. Types as `Dialect.parameter` takes them. */
  parameter(text: string | null, type: string): string {
    return this.dialect.parameter(this.values.push(text), type);
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
export class TableScope implements TableTerms {
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
    return this.scope.dialect.json.at(expression, on.path, this.scope);
  }

  /** A value of the field as a parameter. */
  value(field: Field, value: Value): string {
    const { dialect, values } = this.scope;
    const text = dialect.encoder(this.entity, field).value(value);
    return dialect.fieldParameter(values.push(text), field, this.layout.type(field));
  }

  list(field: Field, values: readonly Value[]): string {
    const encoder = this.scope.dialect.encoder(this.entity, field);
    const literal = arrayLiteral(values, (value) => quoteElement(encoder.value(value)));
    return this.scope.parameter(literal, `${castType(this.layout.type(field))}[]`);
  }
}
