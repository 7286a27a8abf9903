/**
 * `select`: which fields to read, and how a row of them becomes the plain object that was asked for. The way from row to
 * object is worked out once per query.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { at, describe, invalid, type Place } from './comparand.js';
import { fromNeutral } from './identity.js';
import { type Member, type Members, membersOf, unknownProperty } from './members.js';

export interface Selection {
  readonly fields: readonly Field[];
  /** A row aligned with `fields` (more values after them are ignored) as a plain object. */
  toPlain(row: Row): object;
}

/** Reads a list of property paths. An embedded object stands for all of it, a to-one relation for its key. */
export function compileSelection(entity: EntityModel, select: unknown): Selection {
  const place: Place = { entity, path: [] };
  if (!Array.isArray(select) || select.length === 0) {
    throw invalid(place, `select takes a list of at least one property, and was given ${describe(select)}.`);
  }
  const fields = new Set<Field>();
  for (const path of select) for (const field of fieldsAt(place, path)) fields.add(field);
  const list = [...fields];
  const nullable = entity.embeddeds
    .filter((part) => part.nullable)
    .map((part) => part.path)
    .sort((a, b) => b.length - a.length); // inner ones first: an outer one may be empty only after them
  return { fields: list, toPlain: (row) => plain(list, nullable, row) };
}

function fieldsAt(place: Place, path: unknown): readonly Field[] {
  if (typeof path !== 'string') throw invalid(place, `select takes property paths, and was given ${describe(path)}.`);
  const steps = path.split('.');
  let members: Members = membersOf(place.entity);
  let member: Member | undefined;
  for (const [position, step] of steps.entries()) {
    const here = steps.slice(0, position + 1);
    if (member !== undefined && member.kind !== 'embedded') {
      throw invalid(
        at(place, ...here),
        'select reaches into embedded objects only. Select the whole property, or populate the relation.',
      );
    }
    if (member !== undefined) members = member.members;
    member = members.get(step);
    if (member === undefined) throw unknownProperty(place.entity, here, members, 'in select');
  }
  return member === undefined ? [] : fieldsOf(at(place, ...steps), member);
}

function fieldsOf(place: Place, member: Member): readonly Field[] {
  if (member.kind === 'field') return [member.field];
  if (member.kind === 'embedded') return [...member.members.values()].flatMap((inner) => fieldsOf(place, inner));
  if (member.fields.length > 0) return member.fields;
  throw invalid(place, 'its key is not in this entity, so it cannot be selected. Populate the relation instead.');
}

function plain(fields: readonly Field[], nullable: readonly (readonly string[])[], row: Row): object {
  const out: Record<string, unknown> = {};
  fields.forEach((field, position) => {
    let target = out;
    for (const step of field.path.slice(0, -1)) {
      let inner = target[step];
      if (typeof inner !== 'object' || inner === null) {
        inner = {};
        target[step] = inner;
      }
      target = inner as Record<string, unknown>;
    }
    target[field.path.at(-1) ?? field.name] = fromNeutral(field, row[position]);
  });
  for (const path of nullable) dropEmpty(out, path);
  return out;
}

/** A nullable embedded object all of whose selected leaves are absent is null. */
function dropEmpty(out: Record<string, unknown>, path: readonly string[]): void {
  let target: Record<string, unknown> = out;
  for (const step of path.slice(0, -1)) {
    const inner = target[step];
    if (typeof inner !== 'object' || inner === null) return;
    target = inner as Record<string, unknown>;
  }
  const name = path.at(-1) ?? '';
  const value = target[name];
  if (typeof value !== 'object' || value === null) return;
  if (Object.values(value).every((leaf) => leaf === null)) target[name] = null;
}
