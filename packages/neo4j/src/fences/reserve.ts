/**
 * New values of unique constraints. A change of one is not written before the decision, so a reservation holds it until
 * then: something with the label or type of its entity, this value and no key, which only the constraint sees.
 */
import type { FenceOwner, UpdateBatch } from '@storeweave/core';
import { type GraphNames, quote } from '../names.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { lookUp } from '../write/find.js';
import { chunks, parameterOf } from '../write/rows.js';
import { marks, UNIT } from './marks.js';
import { countGivers, giversCypher, isGiver, type UniqueFields } from './trade.js';

/**
 * Reserves the values of one constraint for a batch whose rows are fenced. Where the unit of work may itself give them up
 * (`isTraded`), those are left where they are. Returns how many.
 */
export async function reserve(
  rule: UniqueFields,
  batch: UpdateBatch,
  owner: FenceOwner,
  isTraded: boolean,
  names: GraphNames,
  runner: Runner,
): Promise<number> {
  const { entity, fields, rows } = batch;
  const given = rule.map((field) => fields.indexOf(field));
  const valuesOf = (at: number) => given.map((i) => (i < 0 ? undefined : rows[at]?.[i]));
  // An absent value collides with nothing.
  const changed = [...rows.keys()].filter((at) => {
    const values = valuesOf(at);
    return values.some((value) => value !== undefined) && !values.includes(null);
  });
  const shape = names.shape(entity);
  const matched = new Matched(shape, 'n', 'a', 'b');
  const source = quote(shape.source);
  let open = 0;
  for (const piece of chunks(changed)) {
    const scope = new Scope(names);
    const list = scope.parameter(
      piece.map((at) => [
        lookUp(batch, at)[0],
        rule.map((field, i) => {
          const value = valuesOf(at)[i];
          return value === undefined ? null : parameterOf(entity, field, value);
        }),
      ]),
    );
    const marked = marks(owner, "'reserve'", scope);
    const unit = marked[UNIT] ?? '';
    const values = rule.map((_, i) => `v${i}`);
    const properties = [
      ...rule.map((field, i) => `${quote(field.column)}: v${i}`),
      ...Object.entries(marked).map(([property, value]) => `${property}: ${value}`),
    ].join(', ');
    const text = [
      `UNWIND ${list} AS row`,
      `MATCH ${matched.pattern} WHERE ${entity.ids.map((id, i) => `${matched.field(id)} = row[0][${i}]`).join(' AND ')}`,
      // By a name that is a parameter: by the index on it, all rows of the unit of work would be tried for each.
      `WITH row, n WHERE n[${scope.parameter(UNIT)}] = ${unit}`,
      `WITH n, ${rule.map((field, i) => `coalesce(row[1][${i}], ${matched.field(field)}) AS v${i}`).join(', ')}`,
      `WHERE ${values.map((value) => `${value} IS NOT NULL`).join(' AND ')}`,
      `AND NOT coalesce(${rule.map((field, i) => `${matched.field(field)} = v${i}`).join(' AND ')}, false)`,
      ...(isTraded ? giversCypher([rule], shape, (field) => `v${rule.indexOf(field)}`) : []),
      `FOREACH (_ IN CASE WHEN ${isTraded ? `NOT ${isGiver(0, unit)}` : 'true'} THEN [1] ELSE [] END |`,
      // Between nodes of the application it would be in the way of the one relationship that two of them may have.
      shape.ends === undefined
        ? `  CREATE (:${source} {${properties}}))`
        : `  CREATE (x:${quote(names.reservationLabel)}) CREATE (x)-[:${source} {${properties}}]->(x))`,
      `RETURN ${isTraded ? countGivers([rule], unit) : '0'}`,
    ];
    const [count] = await runner.run(scope.statement(text.join('\n')), entity);
    open += Number(count ?? 0);
  }
  return open;
}
