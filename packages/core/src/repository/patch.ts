/** Partial updates of documents, checked and in neutral form: which place, and what is to happen there. */
import { InvalidQueryError, InvalidValueError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { JSON_NULL, type Value } from '../model/field.js';
import { at, describe, invalid, isPlainObject, jsonComparand, type Place, present } from '../query/comparand.js';
import { type Member, type Members, membersOf, unknownProperty } from '../query/members.js';
import type { Operand } from '../store/condition.js';
import type { PatchOperation } from '../store/documents.js';
import { amountOf, neutral } from './changes.js';
import { now, one } from './managed.js';
import { checkNames } from './query-plan.js';

const PARTS = ['set', 'inc', 'push', 'pull', 'unset'];

/** The operations of a patch, with the version's growth and the time of change. Throws `InvalidQueryError`. */
export function compilePatch(entity: EntityModel, patch: unknown): PatchOperation[] {
  const place: Place = { entity, path: [] };
  if (!isPlainObject(patch))
    throw invalid(place, `a patch is { set, inc, push, pull, unset }, and this is ${describe(patch)}.`);
  checkNames(entity, patch, PARTS);
  const operations = [
    ...byPath(place, patch.set, 'set', (here, on, value) => ({ op: 'set', on, value: settable(here, on, value) })),
    ...byPath(place, patch.inc, 'inc', (here, on, by) => ({ op: 'inc', on, by: amount(here, on, by) })),
    ...byPath(place, patch.push, 'push', (here, on, value) => ({ op: 'push', on, values: elements(here, on, value) })),
    ...byPath(place, patch.pull, 'pull', (here, on, value) => ({ op: 'pull', on, values: elements(here, on, value) })),
    ...unsets(place, patch.unset),
  ];
  if (operations.length === 0) throw invalid(place, 'the patch changes nothing. Name at least one property.');
  refuseOverlap(entity, operations);
  const { version, updatedAt } = entity;
  if (updatedAt !== undefined && !operations.some(({ on }) => on.field === updatedAt)) {
    operations.push({ op: 'set', on: { field: updatedAt }, value: now(updatedAt) });
  }
  if (version !== undefined) operations.push({ op: 'inc', on: { field: version }, by: one(version) });
  return operations;
}

type Make = (place: Place, on: Operand, value: unknown) => PatchOperation;

function byPath(root: Place, part: unknown, name: string, make: Make): PatchOperation[] {
  if (part === undefined) return [];
  if (!isPlainObject(part)) throw invalid(root, `"${name}" takes values by path, and was given ${describe(part)}.`);
  return Object.entries(part).flatMap(([path, value]) => {
    const place = at(root, ...path.split('.'));
    return places(place, value, name === 'set').map(([on, inner]) => make(place, on, inner));
  });
}

/** A path's place; a whole embedded object to set is the places of its leaves. */
function places(place: Place, value: unknown, setting: boolean): (readonly [Operand, unknown])[] {
  let members: Members = membersOf(place.entity);
  for (const [position, step] of place.path.entries()) {
    const member = members.get(step);
    const rest = place.path.slice(position + 1);
    if (member === undefined)
      throw unknownProperty(place.entity, place.path.slice(0, position + 1), members, 'in a patch');
    if (member.kind === 'embedded') {
      if (rest.length === 0) {
        if (!setting) throw invalid(place, 'it is an embedded object; name one of its properties.');
        return leaves(place, member, value);
      }
      members = member.members;
      continue;
    }
    if (member.kind === 'relation')
      throw invalid(place, 'it is a relation; change it in a unit of work, or with update().');
    if (rest.length === 0) return [[{ field: member.field }, value]];
    if (member.field.type === 'json') return [[{ field: member.field, path: rest }, value]];
    throw invalid(
      place,
      `"${place.path.slice(0, position + 1).join('.')}" is of type ${member.field.type} and has nothing inside.`,
    );
  }
  throw invalid(place, 'the path is empty.');
}

function leaves(
  place: Place,
  member: Extract<Member, { kind: 'embedded' }>,
  value: unknown,
): (readonly [Operand, unknown])[] {
  if (value === null && !member.embedded.nullable) throw invalid(place, 'it is not nullable.');
  if (value !== null && typeof value !== 'object')
    throw invalid(place, `it is an embedded object, and this is ${describe(value)}.`);
  const given = (value ?? {}) as Record<string, unknown>;
  return [...member.members].flatMap(([name, inner]): (readonly [Operand, unknown])[] => {
    const own = given[name] ?? null;
    if (inner.kind === 'embedded') return leaves(at(place, name), inner, own);
    return inner.kind === 'field' ? [[{ field: inner.field }, own]] : [];
  });
}

function settable(place: Place, on: Operand, value: unknown): Value {
  if (value === undefined) throw invalid(place, 'it is undefined. Leave it out, set it to null, or unset it.');
  if (on.path === undefined) return neutral(place, on.field, value);
  return value === null ? JSON_NULL : jsonComparand(place, value, 'the value to set');
}

function amount(place: Place, on: Operand, by: unknown): Value {
  if (on.path === undefined) return amountOf(place, on.field, by);
  if (typeof by === 'number' && Number.isFinite(by)) return by;
  throw invalid(place, `the amount to add is a number, and this is ${describe(by)}.`);
}

function elements(place: Place, on: Operand, value: unknown): Value[] {
  const given = present(place, value, 'what to push or pull');
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (on.path !== undefined || (on.field.type === 'json' && !on.field.array && on.field.codec.identity)) {
    return list.map((item) => jsonComparand(place, item, 'the element'));
  }
  if (!on.field.array && on.field.type !== 'json') {
    throw invalid(place, `it is of type ${on.field.type} and no array, so nothing can be pushed or pulled.`);
  }
  for (const item of list) present(place, item, 'an element');
  try {
    const row = on.field.codec.toRow(list);
    return Array.isArray(row) ? row : [row];
  } catch (error) {
    if (error instanceof InvalidValueError) throw invalid(place, error.message, error);
    throw error;
  }
}

function unsets(root: Place, paths: unknown): PatchOperation[] {
  if (paths === undefined) return [];
  if (!Array.isArray(paths)) throw invalid(root, `"unset" takes a list of paths, and was given ${describe(paths)}.`);
  return paths.flatMap((path) => {
    const place = at(root, ...String(path).split('.'));
    return places(place, null, true).map(([on]): PatchOperation => {
      if (on.path === undefined && !on.field.nullable)
        throw invalid(place, 'it is not nullable, so it cannot be unset.');
      return { op: 'unset', on };
    });
  });
}

/** Two operations on one place, or on a place inside the other's, have no order that stores share. */
function refuseOverlap(entity: EntityModel, operations: readonly PatchOperation[]): void {
  const paths = operations.map(({ on }) => [on.field.name, ...(on.path ?? [])]);
  for (const [i, a] of paths.entries()) {
    for (const b of paths.slice(i + 1)) {
      const shared = Math.min(a.length, b.length);
      if (a.slice(0, shared).some((step, position) => step !== b[position])) continue;
      throw new InvalidQueryError(
        `${entity.name}: the patch changes "${a.join('.')}" and "${b.join('.')}" at once, and stores do not agree which comes first. Use two patches.`,
        { entity: entity.name, property: a.join('.') },
      );
    }
  }
}
