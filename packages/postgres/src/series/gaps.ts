/**
 * Gap filling: the grid of all windows for each group, joined with those that have points. A missing value takes the
 * last one before it, or lies on the line between its neighbours; both are found by counting the values so far.
 */
import type { Field, WindowSpec } from '@storeweave/core';
import type { FoldedColumn } from './fold.js';

interface Gaps {
  /** Query of the windows that have points: `w`, `g0…`, `c0…`. */
  readonly points: string;
  /** Query of all starts: `w`. */
  readonly grid: string;
  readonly fill: WindowSpec['fill'];
  readonly groups: readonly Field[];
  readonly columns: readonly FoldedColumn[];
}

export function filled({ points, grid, fill, groups, columns }: Gaps): string {
  const names = groups.map((_, i) => `g${i}`);
  const values = columns.map((_, i) => `c${i}`);
  // Without groups there is one, also where there is no point at all.
  const from = names.length === 0 ? `grid` : `(select distinct ${names.join(', ')} from points) gs cross join grid`;
  const on = ['p.w = grid.w', ...groups.map((field, i) => same(`p.g${i}`, `gs.g${i}`, field.nullable))].join(' and ');
  const listed = ['grid.w', ...names.map((name) => `gs.${name}`), ...values.map((name) => `p.${name}`)].join(', ');
  const cells = `select ${listed} from ${from} left join points p on ${on}`;
  const head = `with points as (${points}), grid as (${grid})`;
  if (fill === 'null' || values.length === 0) return `${head} ${cells}`;
  const group = names.length === 0 ? '' : `partition by ${names.join(', ')} `;
  const before = values.map((name) => `count(${name}) over (${group}order by w) as a_${name}`);
  const after =
    fill === 'linear' ? values.map((name) => `count(${name}) over (${group}order by w desc) as b_${name}`) : [];
  const counted = `select *, ${[...before, ...after].join(', ')} from cells`;
  const out = columns.map((column, i) => {
    const name = `c${i}`;
    const within = (count: string) =>
      `(partition by ${[...names, count].join(', ')} order by w${count.startsWith('b') ? ' desc' : ''})`;
    const first = (what: string, count: string) => `first_value(${what}) over ${within(`${count}_${name}`)}`;
    return fill === 'previous' ? `${first(name, 'a')} as ${name}` : `${line(name, column, first)} as ${name}`;
  });
  return `${head}, cells as (${cells}), counted as (${counted}) select ${['w', ...names, ...out].join(', ')} from counted`;
}

/** `low + (high - low) * share of the way`; null where a neighbour is missing. */
function line(name: string, { line }: FoldedColumn, first: (what: string, count: string) => string): string {
  const type = line === 'bigint' ? 'numeric' : line;
  const low = `${first(name, 'a')}::${type}`;
  const high = `${first(name, 'b')}::${type}`;
  const gone = `extract(epoch from w - ${first('w', 'a')})::${type}`;
  const whole = `nullif(extract(epoch from ${first('w', 'b')} - ${first('w', 'a')}), 0)::${type}`;
  const between = `${low} + (${high} - ${low}) * ${gone} / ${whole}`;
  return `coalesce(${name}::${type}, ${line === 'bigint' ? `round(${between})` : between})`;
}

function same(left: string, right: string, nullable: boolean): string {
  return nullable ? `${left} is not distinct from ${right}` : `${left} = ${right}`;
}
