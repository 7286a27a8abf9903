/**
 * What one statement is made of beside its words: parameters, which are the only way for a value to get in, names for
 * the nodes and relationships it matches, and the pattern that matches an entity.
 */
import { type EntityModel, type Field, InvalidQueryError, type Operand, type Value } from '@storeweave/core';
import { type EndShape, type GraphNames, quote, type Shape } from './names.js';

/** A statement and the values of its parameters. */
export interface Cypher {
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export class Scope {
  readonly values: Record<string, unknown> = {};
  #parameters = 0;
  #aliases = 0;

  constructor(readonly names: GraphNames) {}

  /** A value as a parameter. */
  parameter(value: Value): string {
    const name = `p${this.#parameters++}`;
    this.values[name] = value;
    return `$${name}`;
  }

  /** A name that nothing else in the statement has. */
  alias(prefix: string): string {
    return `${prefix}${this.#aliases++}`;
  }

  /** An entity under names of its own. */
  match(entity: EntityModel): Matched {
    const shape = this.names.shape(entity);
    const n = this.#aliases++;
    return new Matched(shape, `n${n}`, `a${n}`, `b${n}`);
  }

  statement(text: string): Cypher {
    return { text, values: this.values };
  }
}

/** An entity as a statement matches it: a node, or a relationship with the nodes at its ends. */
export class Matched {
  constructor(
    readonly shape: Shape,
    readonly self: string,
    readonly from: string,
    readonly to: string,
  ) {}

  /** The pattern: `(n0:`Person`)`, or `(a0:`Person`)-[n0:`KNOWS`]->(b0:`Person`)`. */
  get pattern(): string {
    const { source, ends } = this.shape;
    if (ends === undefined) return `(${this.self}:${quote(source)})`;
    return `${endPattern(this.from, ends.from)}-[${this.self}:${quote(source)}]->${endPattern(this.to, ends.to)}`;
  }

  /** All names that the pattern binds. */
  get names(): readonly string[] {
    return this.shape.ends === undefined ? [this.self] : [this.self, this.from, this.to];
  }

  /** The value of a field. */
  field(field: Field): string {
    const place = this.shape.places.get(field);
    if (place === undefined) {
      throw new InvalidQueryError(`${field.name} is no field of ${this.shape.entity.name}.`, {
        entity: this.shape.entity.name,
        property: field.name,
      });
    }
    return `${this[place.on]}.${quote(place.property)}`;
  }

  operand(on: Operand): string {
    return this.field(on.field);
  }
}

export function endPattern(alias: string, end: EndShape): string {
  return `(${alias}:${quote(end.label)})`;
}
