/** The error of a row that somebody else has changed or deleted since it was read, the same from every way of writing. */
import { OptimisticLockError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row, Value } from '../model/field.js';

/** A row that was not there any more, or had another version than expected. */
export function staleError(entity: EntityModel, row: Row, expected: Value | undefined): OptimisticLockError {
  const values = entity.ids.map((field, part) => {
    const value = row[part];
    return value === undefined || value === null ? value : field.codec.fromRow(value);
  });
  const key =
    values.length === 1 ? values[0] : Object.fromEntries(entity.ids.map((field, part) => [field.name, values[part]]));
  const name =
    typeof key === 'object'
      ? Object.values(key ?? {})
          .map(String)
          .join(', ')
      : String(key);
  const what =
    expected === undefined
      ? 'is not there any more: it was deleted'
      : `does not have the expected version ${String(expected)}: it was changed or deleted by someone else`;
  return new OptimisticLockError(
    `${entity.name} ${name} ${what} since it was read. Nothing of this unit of work was kept; read it again and repeat the change.`,
    { entity: entity.name, key, store: entity.store },
  );
}
