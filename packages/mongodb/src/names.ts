/**
 * Where a field is in a document: entities become collections, properties keep their names, embedded objects are
 * documents inside, and the identity is `_id` (a document of its own where it has several fields). All paths are made
 * here, and only from the metadata, so that no value of the application can become the name of a field.
 */
import { ConfigurationError, type EntityModel, type Field } from '@storeweave/core';
import { FENCE } from './fence-form.js';

/** An entity as documents of a collection. */
export interface Shape {
  readonly entity: EntityModel;
  readonly collection: string;
  /** True where `_id` is a document of several fields. */
  readonly compositeId: boolean;
  /** Keys from the document down to the field's value. */
  keys(field: Field): readonly string[];
  /** The same with dots, as queries and updates take it. */
  path(field: Field): string;
}

const shapes = new WeakMap<EntityModel, Shape>();

/** Collection of the numbers that the store makes. */
export const SEQUENCES = 'storeweave_sequences';
/** Collection of the units of work over several stores that were decided here. */
export const JOURNAL = 'storeweave_journal';

const OWN: ReadonlySet<string> = new Set([SEQUENCES, JOURNAL]);

export function shapeOf(entity: EntityModel): Shape {
  let shape = shapes.get(entity);
  if (shape === undefined) {
    shape = createShape(entity);
    shapes.set(entity, shape);
  }
  return shape;
}

function createShape(entity: EntityModel): Shape {
  const compositeId = entity.ids.length > 1;
  const keys = new Map<Field, readonly string[]>();
  const paths = new Map<Field, string>();
  for (const field of entity.fields) {
    const own = entity.ids.includes(field) ? (compositeId ? ['_id', field.column] : ['_id']) : [...field.path];
    keys.set(field, own);
    paths.set(field, own.join('.'));
  }
  const known = <V>(map: ReadonlyMap<Field, V>, field: Field): V => {
    const value = map.get(field) ?? map.get(entity.fieldsByName.get(field.name) ?? field);
    if (value !== undefined) return value;
    throw new ConfigurationError(`${field.name} is no field of ${entity.name}.`, { entity: entity.name });
  };
  return {
    entity,
    collection: entity.source,
    compositeId,
    keys: (field) => known(keys, field),
    path: (field) => known(paths, field),
  };
}

/** Throws `ConfigurationError` for names that MongoDB cannot keep or that this store needs for itself. */
export function checkNames(entity: EntityModel, store: string, isFenced = false): void {
  const refuse = (what: string) => {
    throw new ConfigurationError(`${entity.name}: ${what}`, { entity: entity.name, store });
  };
  const { source } = entity;
  if (source === '' || /[$\0]/.test(source) || source.startsWith('system.') || OWN.has(source)) {
    refuse(`the collection cannot be called "${source}". Choose a name without $ that does not begin with "system.".`);
  }
  for (const field of entity.fields) {
    for (const key of entity.ids.includes(field) ? [field.column] : field.path) {
      if (key === '' || key.startsWith('$') || /[.\0]/.test(key)) {
        refuse(
          `"${field.name}" cannot be a field of a document. Choose a name without dots that does not begin with $.`,
        );
      }
    }
    if (isFenced && field.path[0] === FENCE) {
      refuse(`"${FENCE}" is where fences of units of work over several stores stand. Give the property another name.`);
    }
    if (field.path[0] === '_id' && !entity.ids.includes(field)) {
      refuse('"_id" is the name of the identity in a document. Make the property an @Id, or give it another name.');
    }
  }
}
