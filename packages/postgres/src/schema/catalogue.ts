/** What PostgreSQL's catalogues say of the tables that we want: their columns, keys and indexes, in three statements. */
import { arrayLiteral, parseArrayLiteral, quoteElement, type SqlSession, type TextRow } from '@storeweave/sql';
import type { TableDesign } from './design.js';

export interface FoundColumn {
  readonly type: string;
  readonly nullable: boolean;
}

export interface FoundTable {
  readonly comment: string | null;
  /** Partitioned tables are of kind `p`, plain ones `r`; views and the like have others. */
  readonly kind: string;
  readonly columns: Map<string, FoundColumn>;
  /** Columns of the primary key. */
  primaryKey: readonly string[];
  primaryKeyName: string;
  /** Comments of the indexes by name, without those that belong to a constraint. */
  readonly indexes: Map<string, string | null>;
  readonly foreignKeys: Set<string>;
  isEmpty: boolean;
}

export interface Catalogue {
  readonly schemas: ReadonlySet<string>;
  find(design: TableDesign): FoundTable | undefined;
}

const wanted = `unnest($1::text[], $2::text[]) as w(s, t) join pg_namespace n on n.nspname = coalesce(w.s, current_schema()) join pg_class c on c.relnamespace = n.oid and c.relname = w.t`;

export async function readCatalogue(session: SqlSession, designs: readonly TableDesign[]): Promise<Catalogue> {
  const schemas = designs.map((design) => design.schema ?? null);
  const names = designs.map((design) => design.name);
  const values = [literal(schemas), literal(names)];
  const ask = async (text: string): Promise<readonly TextRow[]> => (await session.query({ text, values })).rows;
  const tables = new Map<string, FoundTable>();

  const present = await session.query({
    text: `select distinct n.nspname from unnest($1::text[]) w(s) join pg_namespace n on n.nspname = coalesce(w.s, current_schema())`,
    values: [literal(schemas)],
  });
  for (const row of await ask(
    `select coalesce(w.s, ''), c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull from ${wanted} left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped where c.relkind in ('r', 'p', 'v', 'm', 'f') order by c.relname, a.attnum`,
  )) {
    const [schema = '', name = '', kind, comment, column, type, notNull] = row;
    const key = keyOf(schema, name);
    let table = tables.get(key);
    if (table === undefined) {
      table = {
        comment: comment ?? null,
        kind: kind ?? 'r',
        columns: new Map(),
        primaryKey: [],
        primaryKeyName: '',
        indexes: new Map(),
        foreignKeys: new Set(),
        isEmpty: false,
      };
      tables.set(key, table);
    }
    if (column != null && type != null) table.columns.set(column, { type, nullable: notNull === 'f' });
  }
  for (const row of await ask(
    `select coalesce(w.s, ''), c.relname, k.contype::text, k.conname, array(select a.attname::text from unnest(k.conkey) with ordinality as u(n, o) join pg_attribute a on a.attrelid = c.oid and a.attnum = u.n order by u.o) from ${wanted} join pg_constraint k on k.conrelid = c.oid and k.contype in ('p', 'f')`,
  )) {
    const [schema = '', name = '', kind, constraint, columns] = row;
    const table = tables.get(keyOf(schema, name));
    if (table === undefined || constraint == null) continue;
    if (kind === 'f') table.foreignKeys.add(constraint);
    else {
      table.primaryKeyName = constraint;
      table.primaryKey = parseArrayLiteral(columns ?? '{}', (text) => text) as string[];
    }
  }
  for (const row of await ask(
    `select coalesce(w.s, ''), c.relname, i.relname, obj_description(i.oid, 'pg_class') from ${wanted} join pg_index x on x.indrelid = c.oid and x.indisvalid join pg_class i on i.oid = x.indexrelid where not exists (select 1 from pg_constraint k where k.conindid = i.oid and k.contype in ('p', 'u', 'x'))`,
  )) {
    const [schema = '', name = '', index, comment] = row;
    if (index != null) tables.get(keyOf(schema, name))?.indexes.set(index, comment ?? null);
  }
  return {
    schemas: new Set(present.rows.map((row) => row[0] ?? '')),
    find: (design) => tables.get(keyOf(design.schema, design.name)),
  };
}

function keyOf(schema: string | null | undefined, name: string | null): string {
  return JSON.stringify([schema ?? '', name]);
}

function literal(values: readonly (string | null)[]): string {
  return arrayLiteral(values, (value) => quoteElement(String(value)));
}
