/** What an update by filter sets, an increment adds and an upsert decides on, checked and in neutral form. */
import { InvalidQueryError, InvalidValueError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, FieldType, Row, Value } from '../model/field.js';
import { at, describe, invalid, isPlainObject, type Place, present, typeName } from '../query/comparand.js';
import { type Member, type Members, membersOf, unknownProperty } from '../query/members.js';
import type { InsertBatch } from '../store/write.js';
import { referenceKey } from './new-rows.js';
import type { Change } from './write.js';

type Assignment = { readonly field: Field; readonly value: Value };

/** Assignments of `update(where, set)`. `null` sets a nullable property to nothing; `undefined` is a mistake. */
export function compileSet(entity: EntityModel, set: unknown): Change {
  return { set: assignments({ entity, path: [] }, membersOf(entity), set), increment: [] };
}

function assignments(place: Place, members: Members, set: unknown): Assignment[] {
  if (!isPlainObject(set))
    throw invalid(place, `what to set is an object of properties, and this is ${describe(set)}.`);
  return Object.entries(set).flatMap(([name, value]) => {
    const member = members.get(name);
    if (member === undefined) throw unknownProperty(place.entity, [...place.path, name], members, 'in what to set');
    return assign(at(place, name), member, value);
  });
}

function assign(place: Place, member: Member, value: unknown): Assignment[] {
  if (value === undefined) throw invalid(place, 'it is undefined. Leave it out, or set it to null.');
  if (member.kind === 'field') return [{ field: member.field, value: neutral(place, member.field, value) }];
  if (member.kind === 'embedded') {
    if (value !== null) return assignments(place, member.members, isPlainObject(value) ? value : { ...Object(value) });
    if (!member.embedded.nullable) throw invalid(place, 'it is not nullable.');
    return fieldsOf(member.members).map((field) => ({ field, value: null }));
  }
  const { relation } = member;
  const { join } = relation;
  if (join.via !== 'owner') {
    throw invalid(place, 'its key is kept elsewhere. Update the other side, or change the relation in a unit of work.');
  }
  if (value === null && !relation.nullable) throw invalid(place, 'it is not nullable.');
  const key = value === null ? undefined : referenceKey(place.entity, relation, value);
  return join.fields.map((field, position) => ({ field, value: key?.[position] ?? null }));
}

function fieldsOf(members: Members): Field[] {
  return [...members.values()].flatMap((member) => {
    if (member.kind === 'field') return [member.field];
    return member.kind === 'embedded' ? fieldsOf(member.members) : [...member.fields];
  });
}

/** A value to set on a field. Ids cannot change, and the version is counted by the framework. */
export function neutral(place: Place, field: Field, value: unknown): Value {
  const { entity } = place;
  if (field.id)
    throw invalid(place, `it is an id of ${entity.name}, which never changes. Insert a new one and delete this.`);
  if (field === entity.version) throw invalid(place, 'it is the version, which grows by itself.');
  if (value === null) {
    if (field.nullable) return null;
    throw invalid(place, 'it is not nullable.');
  }
  try {
    return field.codec.toRow(value);
  } catch (error) {
    if (error instanceof InvalidValueError) throw invalid(place, error.message, error);
    throw error;
  }
}

const NUMBERS: ReadonlySet<FieldType> = new Set<FieldType>(['integer', 'bigint', 'float', 'decimal']);

/** Amounts of `increment(where, { prop: by })`. */
export function compileIncrement(entity: EntityModel, by: unknown): Change {
  return { set: [], increment: amounts({ entity, path: [] }, membersOf(entity), by) };
}

function amounts(place: Place, members: Members, by: unknown): { field: Field; by: Value }[] {
  if (!isPlainObject(by))
    throw invalid(place, `what to add is an object of numbers by property, and this is ${describe(by)}.`);
  return Object.entries(by).flatMap(([name, amount]) => {
    const member = members.get(name);
    if (member === undefined) throw unknownProperty(place.entity, [...place.path, name], members, 'in what to add');
    const here = at(place, name);
    if (member.kind === 'embedded') return amounts(here, member.members, amount);
    if (member.kind !== 'field') throw invalid(here, 'it is a relation, and only numbers can be incremented.');
    return [{ field: member.field, by: amountOf(here, member.field, amount) }];
  });
}

export function amountOf(place: Place, field: Field, amount: unknown): Value {
  if (field.array || !NUMBERS.has(field.type)) {
    throw invalid(place, `it is of type ${typeName(field)}, and only numbers can be incremented.`);
  }
  return neutral(place, field, present(place, amount, 'the amount'));
}

/** Options of an upsert. */
export interface UpsertRules {
  readonly on?: unknown;
  readonly update?: unknown;
}

/**
 * Which rows are the same, and what of them is overwritten: by default the ids decide, and every property that was given
 * is set, except ids and the time of creation.
 */
export function compileConflict(
  entity: EntityModel,
  data: readonly object[],
  rules: UpsertRules,
): NonNullable<InsertBatch['onConflict']> {
  const keys = rules.on === undefined ? entity.ids : namedFields(entity, rules.on, 'on');
  checkUnique(entity, keys);
  const named = rules.update === undefined ? given(entity, data) : namedFields(entity, rules.update, 'update');
  const update = named.filter((field) => !field.id && !keys.includes(field) && field !== entity.createdAt);
  const byIds = rules.on === undefined;
  if (update.length === 0) return { do: 'ignore', ...(byIds ? {} : { keys }) };
  const managed = [entity.version, entity.updatedAt].filter((field) => field !== undefined && !update.includes(field));
  return { do: 'update', ...(byIds ? {} : { keys }), update: [...update, ...(managed as Field[])] };
}

function given(entity: EntityModel, data: readonly object[]): Field[] {
  const names = new Set(
    data.flatMap((entry) => Object.entries(entry).flatMap(([name, value]) => (value === undefined ? [] : [name]))),
  );
  const members = membersOf(entity);
  const fields = new Set<Field>();
  for (const name of names) {
    const member = members.get(name);
    if (member?.kind === 'field') fields.add(member.field);
    else if (member?.kind === 'relation') for (const field of member.fields) fields.add(field);
    else if (member?.kind === 'embedded') for (const field of fieldsOf(member.members)) fields.add(field);
  }
  return entity.fields.filter((field) => fields.has(field));
}

/** The fields that a list of property paths names. */
export function namedFields(entity: EntityModel, paths: unknown, what: string): Field[] {
  const place: Place = { entity, path: [] };
  if (!Array.isArray(paths))
    throw invalid(place, `"${what}" takes a list of properties, and was given ${describe(paths)}.`);
  return paths.flatMap((path) => {
    const steps = String(path).split('.');
    let members: Members | undefined = membersOf(entity);
    let member: Member | undefined;
    for (const [position, step] of steps.entries()) {
      member = members?.get(step);
      if (member === undefined)
        throw unknownProperty(entity, steps.slice(0, position + 1), members ?? new Map(), `in "${what}"`);
      members = member.kind === 'embedded' ? member.members : undefined;
    }
    if (member?.kind === 'field') return [member.field];
    if (member?.kind === 'embedded') return fieldsOf(member.members);
    if (member !== undefined && member.fields.length > 0) return [...member.fields];
    throw invalid(at(place, ...steps), `its key is kept elsewhere, so it cannot be named in "${what}".`);
  });
}

function checkUnique(entity: EntityModel, keys: readonly Field[]): void {
  const same = (fields: readonly Field[]) =>
    fields.length === keys.length && fields.every((field) => keys.includes(field));
  if (same(entity.ids)) return;
  if (keys.length === 1 && keys[0]?.unique === true) return;
  if (entity.indexes.some((index) => index.unique && index.where === undefined && same(index.fields))) return;
  throw new InvalidQueryError(
    `${entity.name}: upsert on (${keys.map((field) => field.name).join(', ')}) needs a unique index on exactly these, so that two processes cannot insert the same one. Declare { unique: true } or @Unique([…]).`,
    { entity: entity.name },
  );
}

/** Rows of one upsert must not meet each other: stores disagree about which of them wins. */
export function refuseTwins(
  entity: EntityModel,
  keys: readonly Field[],
  rows: readonly Row[],
  textOf: (key: Value[]) => string | undefined,
): void {
  const seen = new Set<string>();
  for (const row of rows) {
    const text = textOf(keys.map((field) => row[field.index]));
    if (text === undefined) continue;
    if (seen.has(text)) {
      throw new InvalidQueryError(
        `${entity.name}: two entries of one upsert have the same (${keys.map((field) => field.name).join(', ')}). Keep the one that is to win.`,
        { entity: entity.name },
      );
    }
    seen.add(text);
  }
}
