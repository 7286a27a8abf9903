/** Writes windows of one measurement as points of a coarser one, inside the database. */
import { type DownsampleSpec, type Field, InvalidQueryError, type Transaction } from '@storeweave/core';
import { type Layouts, quoteName, type Scope, type SqlSession, timestampToMicros } from '@storeweave/sql';
import type { Partitions } from './partitions.js';
import type { PartitionUnit } from './ranges.js';
import { timestampOf } from './series-design.js';
import { compileWindow } from './window.js';

export async function downsample(
  spec: DownsampleSpec,
  layouts: Layouts,
  partitions: Partitions,
  unit: PartitionUnit,
  session: SqlSession,
  transaction: Transaction | undefined,
): Promise<number> {
  const { window, into } = spec;
  const target = layouts(into);
  const columns = targetColumns(spec);
  const source = compileWindow(window, layouts);
  // The windows' own times decide which partitions there must be; one instant of each is enough.
  const bucket = `date_trunc('${unit}', w at time zone 'UTC')`;
  const { rows } = await session.query({
    text: `select min(w), max(w) from (${limited(spec, source.sql, source.scope)}) r group by ${bucket}`,
    values: source.scope.values,
  });
  const instants = rows.flat().flatMap((text) => (text == null ? [] : [timestampToMicros(text)]));
  await partitions.ensure(into, instants, session, transaction);

  const { sql, scope } = compileWindow(window, layouts);
  const names = columns.map(({ field }) => quoteName(field.column));
  const values = columns.map(({ field, from }) => `${from}::${target.type(field)}`);
  const keys = into.ids.map((field) => quoteName(field.column));
  const updates = columns.flatMap(({ field }) => {
    const name = quoteName(field.column);
    return field.id ? [] : [`${name} = excluded.${name}`];
  });
  const { count } = await session.query({
    text: `insert into ${target.table} (${names.join(', ')}) select ${values.join(', ')} from (${limited(spec, sql, scope)}) r on conflict (${keys.join(', ')}) do update set ${updates.join(', ')}`,
    values: scope.values,
  });
  return count;
}

function limited({ window }: DownsampleSpec, sql: string, scope: Scope): string {
  if (window.limit === undefined) return sql;
  const order = [`w ${window.order}`, ...window.groupBy.map((_, i) => `g${i}`)].join(', ');
  return `select * from (${sql}) o order by ${order} limit ${scope.parameter(String(window.limit), 'bigint')}`;
}

/** Which column of the windows each field of the target takes. */
function targetColumns({ window, into, map }: DownsampleSpec): { readonly field: Field; readonly from: string }[] {
  const refuse = (message: string, property?: string) =>
    new InvalidQueryError(`Windows of ${window.entity.name} cannot be written into ${into.name}: ${message}`, {
      entity: into.name,
      property,
    });
  const time = timestampOf(into);
  const tags = window.groupBy.map((field, i) => {
    const tag = into.fieldsByName.get(field.name);
    if (tag?.role === 'tag') return { field: tag, from: `g${i}` };
    throw refuse(`it has no tag "${field.name}" to group by. Declare it, or take it out of the grouping.`, field.name);
  });
  const absent = into.ids.find((field) => field !== time && !tags.some((tag) => tag.field === field));
  if (absent !== undefined) throw refuse(`its tag "${absent.name}" would have no value. Group by it.`, absent.name);
  const values = map.map(({ alias, field }) => {
    const at = window.columns.findIndex((column) => column.alias === alias);
    if (at < 0)
      throw refuse(
        `the windows have no column "${alias}"; they have ${window.columns.map((column) => column.alias).join(', ')}.`,
      );
    return { field, from: `c${at}` };
  });
  if (values.length === 0) throw refuse('no column is mapped to a field.');
  return [{ field: time, from: 'w' }, ...tags, ...values];
}
