/** Knows which entity and property a table, column or constraint came from, for messages. */
import type { EntityModel, ErrorSubject } from '@storeweave/core';

interface Table {
  readonly entity: EntityModel;
  readonly store: string;
  readonly columns: ReadonlyMap<string, string>;
}

/** What the server named, in the words of the classes. */
export interface FoundSubject {
  readonly of: ErrorSubject;
  /** `User.email`, or the best that is known. */
  readonly label: string;
  /** ` = (a@b.c)`, where the server tells. */
  readonly value: string;
}

/** `Key (a, b)=(1, 2) …` in the detail; the words around it depend on the server's language. */
const keyPattern = /\(((?:[^()]|\([^()]*\))+)\)=\((.*)\)/s;

export class ErrorSubjects {
  /** By table, which may be kept by several entities. */
  readonly #tables = new Map<string, Table[]>();
  readonly #constraints = new Map<string, readonly string[]>();

  /** `table` without quotes and schema. */
  add(entity: EntityModel, store: string, table: string): void {
    const columns = new Map(entity.fields.map((field) => [field.column, field.name]));
    const others = this.#tables.get(table)?.filter((each) => each.entity.name !== entity.name && each.store === store);
    this.#tables.set(table, [{ entity, store, columns }, ...(others ?? [])]);
    for (const index of entity.indexes)
      this.constraint(
        index.name,
        index.fields.map((field) => field.name),
      );
  }

  /** Properties that a constraint is about, where its columns alone do not tell. */
  constraint(name: string, properties: readonly string[]): void {
    this.#constraints.set(name, properties);
  }

  /** Of a check that nobody told of: PostgreSQL calls it `table_column_check` where its author gave no name. */
  #ofConstraint(
    table: Table,
    error: { readonly table?: string; readonly constraint?: string },
  ): readonly string[] | undefined {
    const { constraint } = error;
    if (constraint === undefined) return undefined;
    const known = this.#constraints.get(constraint);
    if (known !== undefined) return known;
    const prefix = `${error.table}_`;
    const column = constraint.startsWith(prefix)
      ? /^(.+)_check\d*$/.exec(constraint.slice(prefix.length))?.[1]
      : undefined;
    const property = column === undefined ? undefined : table.columns.get(column);
    return property === undefined ? undefined : [property];
  }

  find(
    error: {
      readonly table?: string;
      readonly column?: string;
      readonly constraint?: string;
      readonly detail?: string;
    },
    about?: EntityModel,
  ): FoundSubject {
    const key = error.detail === undefined ? null : keyPattern.exec(error.detail);
    const value = key === null ? '' : ` = (${key[2]})`;
    const tables = error.table === undefined ? [] : (this.#tables.get(error.table) ?? []);
    const table = tables.find(({ entity }) => entity === about) ?? tables[0];
    if (table === undefined) {
      const of = about === undefined ? {} : { entity: about.name, store: about.store };
      return { of, label: about?.name ?? (error.table === undefined ? 'A value' : `Table "${error.table}"`), value };
    }
    const columns = error.column === undefined ? (key?.[1] ?? '').split(', ').map(unquoted) : [error.column];
    const named = columns.flatMap((column) => table.columns.get(column) ?? []);
    const properties = this.#ofConstraint(table, error) ?? named;
    const property = properties.length === 0 ? undefined : properties.join(', ');
    const { name } = table.entity;
    return {
      of: { entity: name, store: table.store, ...(property === undefined ? {} : { property }) },
      label: property === undefined ? name : properties.length === 1 ? `${name}.${property}` : `${name} (${property})`,
      value,
    };
  }
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
