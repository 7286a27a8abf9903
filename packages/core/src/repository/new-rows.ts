/**
 * Data of new entities becomes rows: defaults and ids as `uow.create` gives them, references from entities or ids, and
 * nothing that would be silently lost.
 */
import { InvalidValueError } from '../errors/errors.js';
import { checkRequired } from '../hydrate/compile-dehydrator.js';
import { entityCodec } from '../hydrate/entity-codec.js';
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { describe } from '../query/comparand.js';
import { keyRow } from '../query/identity.js';
import { alignKey } from '../query/key.js';
import { type Members, membersOf, nearest } from '../query/members.js';
import { Collection, collectionState } from '../relations/collection.js';
import { Ref } from '../relations/ref.js';
import { seriesState, TimeSeries } from '../relations/time-series.js';
import { manageNew } from './managed.js';

/** Rows aligned with the entity's fields; `undefined` in them is for the store to make (sequences). */
export function newRows(entity: EntityModel, list: readonly unknown[]): Row[] {
  const codec = entityCodec(entity);
  const members = membersOf(entity);
  const ms = Date.now();
  return list.map((data, at) => {
    if (typeof data !== 'object' || data === null) {
      throw new InvalidValueError(
        `${entity.name}: entry ${at} to insert is ${describe(data)}, not an object of properties.`,
        {
          entity: entity.name,
        },
      );
    }
    checkProperties(entity, members, data);
    const instance = codec.create(data);
    const row = codec.dehydrate(instance, () => null);
    for (const relation of entity.relations)
      setReference(entity, row, relation, (data as Record<string, unknown>)[relation.name]);
    manageNew(entity, row, ms);
    checkRequired(entity, row, instance);
    return row;
  });
}

/** Fields of a new row that were given or have a value; a field that the store makes is left out where it is absent. */
export function storedFields(
  entity: EntityModel,
  rows: readonly Row[],
): { readonly given: Field[]; readonly made: Field[] } {
  const made = entity.fields.filter((field) => rows.every((row) => row[field.index] === undefined));
  return { given: entity.fields.filter((field) => !made.includes(field)), made };
}

function checkProperties(entity: EntityModel, members: Members, data: object): void {
  for (const [name, value] of Object.entries(data)) {
    if (members.has(name) || value === undefined || typeof value === 'function') continue;
    const near = nearest(name, [...members.keys()]);
    throw new InvalidValueError(
      `${entity.name} has no property "${name}" to insert. ${near === undefined ? `It has: ${[...members.keys()].join(', ')}.` : `Did you mean "${near}"?`}`,
      { entity: entity.name, property: name },
    );
  }
}

function setReference(entity: EntityModel, row: Row, relation: RelationModel, value: unknown): void {
  if (value === undefined) return;
  const { join } = relation;
  if (join.via === 'owner') {
    const given = value instanceof Ref ? referred(value) : value;
    const key = given === null ? undefined : referenceKey(entity, relation, given);
    join.fields.forEach((field, at) => {
      row[field.index] = key?.[at] ?? null;
    });
    return;
  }
  if (value === null || isEmpty(value)) return;
  throw new InvalidValueError(
    `${entity.name}.${relation.name} is kept elsewhere and cannot be inserted with ${entity.name}. Use uow.create() or uow.add(), which write what they reach, or insert the other side.`,
    { entity: entity.name, property: relation.name },
  );
}

/** What a `Ref` refers to: its entity, which may have got its key since, or the key. */
function referred(ref: Ref<object>): unknown {
  return (ref.isLoaded ? ref.get() : undefined) ?? ref.key ?? null;
}

/** Key of a related entity, from the entity or its id, in the form of the owner's fields. */
export function referenceKey(entity: EntityModel, relation: RelationModel, value: unknown): Row {
  const { join } = relation;
  if (join.via !== 'owner') return [];
  const place = { entity, path: [relation.name] };
  return alignKey(keyRow(place, relation.target, value, join.targetFields), join.targetFields, join.fields);
}

function isEmpty(value: unknown): boolean {
  if (value instanceof Collection) return collectionState.pending(value) === undefined;
  if (value instanceof TimeSeries) return seriesState.pending(value) === undefined;
  return Array.isArray(value) ? value.length === 0 : typeof value === 'object' && value !== null && !('key' in value);
}
