/** What the server's catalogue says of our tables: the half of the comparison that TypeORM does not make, or makes wrongly. */
import type { EntityModel, Field } from '@storeweave/core';
import { arrayLiteral, quoteElement, type SqlSession, type TableLayout } from '@storeweave/sql';

export interface ExistingColumn {
  readonly type: string;
  /** The type is the wanted one but for length and precision. */
  readonly sameBase: boolean;
  readonly notNull: boolean;
  readonly identity: boolean;
  readonly default: string | undefined;
}

export interface ExistingTable {
  /** By column name. */
  readonly columns: ReadonlyMap<string, ExistingColumn>;
  readonly hasRows: boolean;
  /** Column names of the primary key, in order. */
  readonly primaryKey: readonly string[];
}

export interface ExistingIndex {
  readonly columns: string;
  readonly unique: boolean;
  readonly method: string;
  readonly where: string | undefined;
}

const list = (values: readonly string[]): string => arrayLiteral(values, (value) => quoteElement(String(value)));

export class Catalog {
  constructor(private readonly session: SqlSession) {}

  async rows(text: string, ...values: string[]): Promise<readonly (readonly (string | null)[])[]> {
    return (await this.session.query({ text, values })).rows;
  }

  async exists(text: string): Promise<boolean> {
    return (await this.rows(`select exists (${text})`))[0]?.[0] === 't';
  }

  /** Undefined where there is no such table. */
  async table(layout: TableLayout, castOf: (field: Field) => string): Promise<ExistingTable | undefined> {
    const [found] = await this.rows('select to_regclass($1::text) is not null', layout.table);
    if (found?.[0] !== 't') return undefined;
    const { fields } = layout.entity;
    const columns = await this.rows(
      `select a.attname, format_type(a.atttypid, a.atttypmod), coalesce(a.atttypid = to_regtype(w.type), false),
              a.attnotnull, a.attidentity <> '', pg_get_expr(d.adbin, d.adrelid)
         from pg_attribute a
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         left join unnest($2::text[], $3::text[]) as w(name, type) on w.name = a.attname
        where a.attrelid = to_regclass($1::text) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attnum`,
      layout.table,
      list(fields.map((field) => field.column)),
      list(fields.map(castOf)),
    );
    const key = await this.rows(
      `select a.attname from pg_index i cross join unnest(i.indkey) with ordinality as k(num, n)
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
        where i.indrelid = to_regclass($1::text) and i.indisprimary order by k.n`,
      layout.table,
    );
    return {
      columns: new Map(
        columns.map(([name, type, sameBase, notNull, identity, expression]) => [
          name ?? '',
          {
            type: type ?? '',
            sameBase: sameBase === 't',
            notNull: notNull === 't',
            identity: identity === 't',
            default: expression ?? undefined,
          },
        ]),
      ),
      hasRows: await this.exists(`select 1 from ${layout.table}`),
      primaryKey: key.map(([name]) => name ?? ''),
    };
  }

  /** Indexes of the table by name, those of constraints included. */
  async indexes(layout: TableLayout): Promise<Map<string, ExistingIndex>> {
    const rows = await this.rows(
      `select c.relname, i.indisunique, m.amname, pg_get_expr(i.indpred, i.indrelid),
              (select string_agg(coalesce(a.attname, '?'), ',' order by k.n)
                 from unnest(i.indkey) with ordinality as k(num, n)
                 left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num)
         from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
        where i.indrelid = to_regclass($1::text)`,
      layout.table,
    );
    return new Map(
      rows.map(([name, unique, method, where, columns]) => [
        name ?? '',
        { columns: columns ?? '', unique: unique === 't', method: method ?? '', where: where ?? undefined },
      ]),
    );
  }

  /** What to do on delete, by name of the foreign key: `a` no action, `r` restrict, `c` cascade, `n` set null. */
  async foreignKeys(layout: TableLayout): Promise<Map<string, string>> {
    const rows = await this.rows(
      `select conname, confdeltype from pg_constraint where contype = 'f' and conrelid = to_regclass($1::text)`,
      layout.table,
    );
    return new Map(rows.map(([name, action]) => [name ?? '', action ?? '']));
  }

  /** Labels of an enum type, in order; undefined where there is no such type. */
  async enumValues(type: string): Promise<string[] | undefined> {
    const rows = await this.rows(
      'select enumlabel from pg_enum where enumtypid = to_regtype($1::text) order by enumsortorder',
      type,
    );
    return rows.length === 0 ? undefined : rows.map(([label]) => label ?? '');
  }

  /** A predicate as the server writes it, found out on an empty copy of the table. Only inside a transaction. */
  async canonicalPredicate(layout: TableLayout, where: string): Promise<string | undefined> {
    const steps = [
      'savepoint sw_predicate',
      `create temporary table sw_predicate (like ${layout.table})`,
      `create index sw_predicate_idx on sw_predicate (${firstColumn(layout.entity)}) where ${where}`,
    ];
    for (const text of steps) await this.session.query({ text, values: [] });
    const rows = await this.rows(
      `select pg_get_expr(indpred, indrelid) from pg_index where indexrelid = to_regclass('pg_temp.sw_predicate_idx')`,
    );
    await this.session.query({ text: 'rollback to savepoint sw_predicate', values: [] });
    return rows[0]?.[0] ?? undefined;
  }
}

function firstColumn({ ids }: EntityModel): string {
  return ids
    .map((field) => `"${field.column.replaceAll('"', '""')}"`)
    .slice(0, 1)
    .join('');
}
