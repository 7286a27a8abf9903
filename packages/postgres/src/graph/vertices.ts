/** Vertices met on a walk, numbered, so that the walk itself handles integers and each key is kept once. */
import type { EntityModel, Field, Row, Vertex } from '@storeweave/core';
import { decodeColumns, decoderOf, encoderOf, type TextRow } from '@storeweave/sql';

/** What knows the text form of a vertex's key: its entity's name, and fields that hold it in some entity. */
export interface KeyShape {
  /** Entity that the fields belong to. */
  readonly owner: EntityModel;
  readonly fields: readonly Field[];
}

export class Vertices {
  readonly #numbers = new Map<string, number>();
  /** The same by the key's text as the server wrote it, so that a vertex met again is not decoded again. */
  readonly #byText = new Map<string, number>();
  readonly #all: Vertex[] = [];

  /** The number of a vertex, given on first sight. */
  number(entity: string, key: Row, shape: KeyShape): number {
    const name = nameOf(entity, key, shape);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#all.length;
    this.#numbers.set(name, number);
    this.#all.push({ entity, key });
    return number;
  }

  /** The number of a vertex whose key stands in an answer from this position on. */
  numberOf(entity: string, row: TextRow, at: number, shape: KeyShape): number {
    const end = at + shape.fields.length;
    let name = entity;
    for (let i = at; i < end; i++) name += `\u0000${row[i]}`;
    const known = this.#byText.get(name);
    if (known !== undefined) return known;
    const [key = []] = decodeColumns([row.slice(at, end)], shape.fields.map(decoderOf));
    const number = this.number(entity, key, shape);
    this.#byText.set(name, number);
    return number;
  }

  entity(number: number): string {
    return this.#at(number).entity;
  }

  key(number: number): Row {
    return this.#at(number).key;
  }

  /** A copy, to be given away. */
  copy(number: number): Vertex {
    const { entity, key } = this.#at(number);
    return { entity, key: [...key] };
  }

  #at(number: number): Vertex {
    const vertex = this.#all[number];
    if (vertex === undefined) throw new RangeError(`There is no vertex of number ${number}.`);
    return vertex;
  }
}

function nameOf(entity: string, key: Row, { owner, fields }: KeyShape): string {
  let name = entity;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    const text = encoderOf(owner, field).value(key[i]);
    name += `\u0000${field.type === 'uuid' ? text.toLowerCase() : text}`;
  }
  return name;
}
