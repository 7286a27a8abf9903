/**
 * What a careful team writes by hand for the same job: one `unnest` statement per batch with array literals built
 * without the driver's slower encoder, rows read in array mode, a version check in the update.
 */
import type { ClientBase } from 'pg';
import type { EmployeeData } from './employee.js';

const table = 'hand_employees';
const columns = 'id, name, email, age, score, salary, active, hired_at, note, version';

export async function createTable(client: ClientBase): Promise<void> {
  await client.query(`drop table if exists ${table}`);
  await client.query(`create table ${table} (id uuid primary key, name varchar not null, email varchar not null,
    age integer not null, score double precision not null, salary numeric(12,2) not null, active boolean not null,
    hired_at timestamptz(3) not null, note text, version integer not null)`);
}

const plain = (values: readonly (string | number | boolean)[]): string => `{${values.join(',')}}`;
const quoted = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : JSON.stringify(value))).join(',')}}`;

export async function insert(client: ClientBase, data: readonly EmployeeData[], into = table): Promise<number> {
  await client.query('begin');
  const result = await client.query(
    `insert into ${into} (${columns}) select *, 1 from unnest($1::uuid[], $2::varchar[], $3::varchar[], $4::integer[],
      $5::double precision[], $6::numeric[], $7::boolean[], $8::timestamptz[], $9::text[])`,
    [
      plain(data.map((row) => row.id)),
      quoted(data.map((row) => row.name)),
      quoted(data.map((row) => row.email)),
      plain(data.map((row) => row.age)),
      plain(data.map((row) => row.score)),
      plain(data.map((row) => row.salary)),
      plain(data.map((row) => row.active)),
      quoted(data.map((row) => row.hiredAt.toISOString())),
      quoted(data.map((row) => row.note)),
    ],
  );
  await client.query('commit');
  return result.rowCount ?? 0;
}

export type Loaded = EmployeeData & { version: number };

export async function load(client: ClientBase, from = table): Promise<Loaded[]> {
  const { rows } = await client.query<unknown[]>({
    text: `select ${columns} from ${from}`,
    rowMode: 'array',
  });
  return rows.map((row) => ({
    id: row[0] as string,
    name: row[1] as string,
    email: row[2] as string,
    age: row[3] as number,
    score: row[4] as number,
    salary: row[5] as string,
    active: row[6] as boolean,
    hiredAt: row[7] as Date,
    note: row[8] as string | null,
    version: row[9] as number,
  }));
}

/** Sets name and score of the given rows, each only if its version is still the one that was read. */
export async function update(client: ClientBase, rows: readonly Loaded[], on = table): Promise<number> {
  await client.query('begin');
  const result = await client.query(
    `update ${on} t set name = d.name, score = d.score, version = d.version + 1
      from unnest($1::uuid[], $2::varchar[], $3::double precision[], $4::integer[]) as d(id, name, score, version)
      where t.id = d.id and t.version = d.version`,
    [
      plain(rows.map((row) => row.id)),
      quoted(rows.map((row) => row.name)),
      plain(rows.map((row) => row.score)),
      plain(rows.map((row) => row.version)),
    ],
  );
  await client.query('commit');
  for (const row of rows) row.version += 1;
  return result.rowCount ?? 0;
}

export async function clear(client: ClientBase): Promise<void> {
  await client.query(`truncate ${table}`);
}
