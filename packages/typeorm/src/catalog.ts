/**
 * What the server's catalogue says of our tables: the half of the comparison that TypeORM does not make, or makes
 * wrongly. Read in a handful of queries, however many tables there are.
 */
import type { EntityModel } from '@storeweave/core';
import { arrayLiteral, castType, quoteElement, quoteName, type SqlSession, type TableLayout } from '@storeweave/sql';

export interface ExistingColumn {
  readonly type: string;
  /** The type is the wanted one but for length and precision. */
  readonly sameBase: boolean;
  readonly notNull: boolean;
  readonly identity: boolean;
  readonly default: string | undefined;
}

export interface ExistingIndex {
  readonly columns: string;
  readonly unique: boolean;
  readonly method: string;
  readonly where: string | undefined;
  /** The statement that makes it. */
  readonly definition: string;
}

/** Each part by its name. */
export interface ExistingTable {
  readonly columns: Map<string, ExistingColumn>;
  /** Column names of the primary key, in order. */
  readonly primaryKey: string[];
  /** Those of constraints included. */
  readonly indexes: Map<string, ExistingIndex>;
  /** What to do on delete: `a` no action, `r` restrict, `c` cascade, `n` set null. */
  readonly foreignKeys: Map<string, string>;
  /** Names of checks and exclusions. */
  readonly checks: Set<string>;
}

type Rows = readonly (readonly (string | null)[])[];

const list = (values: readonly string[]): string => arrayLiteral(values, (value) => quoteElement(String(value)));

/** Our tables and their positions, for joins. */
const ours = 'unnest($1::text[]) with ordinality as t(name, n)';

export class Catalog {
  readonly #tables = new Map<EntityModel, ExistingTable>();
  /** Labels by the type's name as it was asked for. */
  readonly #enums = new Map<string, string[]>();

  private constructor(private readonly session: SqlSession) {}

  /** `enumTypes`: names of enum types, quoted. */
  static async load(
    session: SqlSession,
    layouts: readonly TableLayout[],
    enumTypes: readonly string[],
  ): Promise<Catalog> {
    const catalog = new Catalog(session);
    await catalog.#loadTables(layouts);
    const labels = await catalog.rows(
      `select t.name, e.enumlabel from ${ours} join pg_enum e on e.enumtypid = to_regtype(t.name) order by t.n, e.enumsortorder`,
      list(enumTypes),
    );
    for (const [type = null, label] of labels) {
      catalog.#enums.set(type ?? '', [...(catalog.#enums.get(type ?? '') ?? []), label ?? '']);
    }
    return catalog;
  }

  /** Undefined where there is no such table. */
  table(entity: EntityModel): ExistingTable | undefined {
    return this.#tables.get(entity);
  }

  /** Labels of an enum type, in order; undefined where there is no such type. */
  enumValues(type: string): readonly string[] | undefined {
    return this.#enums.get(type);
  }

  async rows(text: string, ...values: string[]): Promise<Rows> {
    return (await this.session.query({ text, values })).rows;
  }

  async exists(text: string): Promise<boolean> {
    return (await this.rows(`select exists (${text})`))[0]?.[0] === 't';
  }

  async #loadTables(layouts: readonly TableLayout[]): Promise<void> {
    const names = list(layouts.map(({ table }) => table));
    const found = await this.rows(`select t.n from ${ours} where to_regclass(t.name) is not null`, names);
    const tables = new Map<string, ExistingTable>();
    for (const [n] of found) {
      const table: ExistingTable = {
        columns: new Map(),
        primaryKey: [],
        indexes: new Map(),
        foreignKeys: new Map(),
        checks: new Set(),
      };
      const layout = layouts[Number(n) - 1];
      if (layout === undefined || n === null || n === undefined) continue;
      tables.set(n, table);
      this.#tables.set(layout.entity, table);
    }
    if (tables.size === 0) return;
    await this.#loadColumns(layouts, names, tables);
    await this.#loadIndexes(names, tables);
    const keys = await this.rows(
      `select t.n, c.conname, c.confdeltype, c.contype from ${ours} join pg_constraint c on c.conrelid = to_regclass(t.name) where c.contype in ('f', 'c', 'x')`,
      names,
    );
    for (const [n, name, action, type] of keys) {
      const table = tables.get(n ?? '');
      if (type === 'f') table?.foreignKeys.set(name ?? '', action ?? '');
      else table?.checks.add(name ?? '');
    }
  }

  async #loadColumns(
    layouts: readonly TableLayout[],
    names: string,
    tables: ReadonlyMap<string, ExistingTable>,
  ): Promise<void> {
    const wanted = layouts.flatMap((layout, i) =>
      layout.entity.fields.map((field) => ({ layout, field, n: String(i + 1) })),
    );
    const rows = await this.rows(
      `select t.n, a.attname, format_type(a.atttypid, a.atttypmod), coalesce(a.atttypid = to_regtype(w.type), false),
              a.attnotnull, a.attidentity <> '', pg_get_expr(d.adbin, d.adrelid)
         from ${ours}
         join pg_attribute a on a.attrelid = to_regclass(t.name)
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         left join unnest($2::bigint[], $3::text[], $4::text[]) as w(n, name, type) on w.n = t.n and w.name = a.attname
        where a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by t.n, a.attnum`,
      names,
      list(wanted.map(({ n }) => n)),
      list(wanted.map(({ field }) => field.column)),
      list(wanted.map(({ layout, field }) => castType(layout.type(field)))),
    );
    for (const [n, name, type, sameBase, notNull, identity, expression] of rows) {
      tables.get(n ?? '')?.columns.set(name ?? '', {
        type: type ?? '',
        sameBase: sameBase === 't',
        notNull: notNull === 't',
        identity: identity === 't',
        default: expression ?? undefined,
      });
    }
  }

  async #loadIndexes(names: string, tables: ReadonlyMap<string, ExistingTable>): Promise<void> {
    const rows = await this.rows(
      `select t.n, c.relname, i.indisunique, m.amname, pg_get_expr(i.indpred, i.indrelid), i.indisprimary, pg_get_indexdef(i.indexrelid),
              (select string_agg(coalesce(a.attname, '?'), ',' order by k.n)
                 from unnest(i.indkey) with ordinality as k(num, n)
                 left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num)
         from ${ours}
         join pg_index i on i.indrelid = to_regclass(t.name)
         join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam`,
      names,
    );
    for (const [n, name, unique, method, where, primary, definition, columns] of rows) {
      const table = tables.get(n ?? '');
      if (primary === 't') table?.primaryKey.push(...(columns ?? '').split(','));
      const index = {
        columns: columns ?? '',
        unique: unique === 't',
        method: method ?? '',
        where: where ?? undefined,
        definition: definition ?? '',
      };
      table?.indexes.set(name ?? '', index);
    }
  }

  /** A predicate as the server writes it, found out on an empty copy of the table. Only inside a transaction. */
  async canonicalPredicate(layout: TableLayout, where: string): Promise<string | undefined> {
    const column = quoteName(layout.entity.fields[0]?.column ?? '');
    const steps = [
      'savepoint sw_predicate',
      `create temporary table sw_predicate (like ${layout.table})`,
      `create index sw_predicate_idx on sw_predicate (${column}) where ${where}`,
    ];
    for (const text of steps) await this.session.query({ text, values: [] });
    const rows = await this.rows(
      `select pg_get_expr(indpred, indrelid) from pg_index where indexrelid = to_regclass('pg_temp.sw_predicate_idx')`,
    );
    await this.session.query({ text: 'rollback to savepoint sw_predicate', values: [] });
    return rows[0]?.[0] ?? undefined;
  }
}
