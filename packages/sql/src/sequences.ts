/** Sequences after rows that came with ids of their own: the next id must be one that no row has. */
import type { EntityModel } from '@storeweave/core';
import { quoteName } from './identifier.js';

/** One statement for each id that a sequence makes. It never lets a sequence go back. */
export function advanceStatements(entity: EntityModel, table: string) {
  return entity.ids
    .filter((id) => id.generated === 'sequence')
    .map((id) => ({
      text: `select setval(s.name, greatest(m.id, coalesce(pg_sequence_last_value(s.name::regclass), 0)))
        from (select pg_get_serial_sequence($1, $2) as name) s, (select max(${quoteName(id.column)}) as id from ${table}) m
        where s.name is not null and m.id is not null`,
      values: [table, id.column],
      about: entity,
    }));
}
