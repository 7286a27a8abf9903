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

/** A selected value: a field, or what is at a path in a json field. */
interface Part {
  readonly field: Field;
  /** Where in the plain object it goes. */
  readonly path: readonly string[];
  readonly inside?: readonly string[];
}

type Bag = Record<string, unknown>;

/**
 * Reads a list of property paths. An embedded object stands for all of it, a to-one relation for its key; a nullable
 * embedded object is null where everything selected of it is absent.
 */
export function compileSelection(entity: EntityModel, select: unknown): Selection {
  const place: Place = { entity, path: [] };
  if (!Array.isArray(select) || select.length === 0) {
    throw invalid(place, `select takes a list of at least one property, and was given ${describe(select)}.`);
  }
  const asked = select.flatMap((path) => partsAt(place, path));
  const whole = new Set(asked.filter((part) => part.inside === undefined).map((part) => part.field));
  const parts = asked.filter((part) => part.inside === undefined || !whole.has(part.field));
  const fields = [...new Set(parts.map((part) => part.field))];
  const steps = parts.map((part) => ({ ...part, position: fields.indexOf(part.field) }));
  const composite = entity.relations.filter(({ join }) => join.via === 'owner' && join.fields.length > 1);
  const nullable = [
    ...entity.embeddeds.filter((part) => part.nullable).map((part) => part.path),
    ...composite.map(({ name }) => [name]),
  ].sort((a, b) => b.length - a.length); // inner ones first: an outer one may be empty only after them
  return {
    fields,
    toPlain(row) {
      const out: Bag = {};
      for (const { position, field, inside, path } of steps) {
        const value = fromNeutral(field, row[position]);
        put(out, path, inside === undefined ? value : valueInside(value, inside));
      }
      for (const path of nullable) dropEmpty(out, path);
      return out;
    },
  };
}

function partsAt(place: Place, path: unknown): readonly Part[] {
  if (typeof path !== 'string') throw invalid(place, `select takes property paths, and was given ${describe(path)}.`);
  const steps = path.split('.');
  let members: Members = membersOf(place.entity);
  for (const [position, step] of steps.entries()) {
    const here = steps.slice(0, position + 1);
    const rest = steps.slice(position + 1);
    const member = members.get(step);
    if (member === undefined) throw unknownProperty(place.entity, here, members, 'in select');
    if (member.kind === 'embedded') {
      if (rest.length === 0) return leaves(member.members);
      members = member.members;
      continue;
    }
    if (rest.length === 0 && member.kind === 'field') return [partOf(member.field)];
    if (member.kind === 'field' && member.field.type === 'json')
      return [{ field: member.field, path: [...member.field.path, ...rest], inside: rest }];
    if (rest.length === 0 && member.kind === 'relation' && member.fields.length > 0) return keyParts(member);
    throw invalid(
      at(place, ...here),
      member.kind === 'relation'
        ? 'select gives the key of a to-one relation and nothing else of relations. Populate the relation instead.'
        : 'select reaches into embedded objects and json only. Select the whole property.',
    );
  }
  return [];
}

function leaves(members: Members): Part[] {
  return [...members.values()].flatMap((member) => {
    if (member.kind === 'field') return [partOf(member.field)];
    return member.kind === 'embedded' ? leaves(member.members) : keyParts(member);
  });
}

function partOf(field: Field): Part {
  return { field, path: field.path };
}

/** The key of a relation goes under its name, also where it is kept in properties of other names. */
function keyParts({ relation, fields }: Extract<Member, { kind: 'relation' }>): Part[] {
  const { join } = relation;
  return fields.map((field, at) => {
    const inner = join.via === 'owner' && fields.length > 1 ? (join.targetFields[at]?.path ?? []) : [];
    return { field, path: [relation.name, ...inner] };
  });
}

function valueInside(value: unknown, path: readonly string[]): unknown {
  let inner = value;
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, step)) return null;
    inner = (inner as Bag)[step];
  }
  return inner ?? null;
}

function put(out: Bag, path: readonly string[], value: unknown): void {
  let target = out;
  for (const step of path.slice(0, -1)) {
    const inner = target[step];
    if (typeof inner === 'object' && inner !== null) target = inner as Bag;
    else {
      const made: Bag = {};
      target[step] = made;
      target = made;
    }
  }
  target[path.at(-1) ?? ''] = value;
}

/** A nullable embedded object all of whose selected leaves are absent is null. */
function dropEmpty(out: Bag, path: readonly string[]): void {
  let target: Bag = out;
  for (const step of path.slice(0, -1)) {
    const inner = target[step];
    if (typeof inner !== 'object' || inner === null) return;
    target = inner as Bag;
  }
  const name = path.at(-1) ?? '';
  const value = target[name];
  if (typeof value !== 'object' || value === null) return;
  if (Object.values(value).every((leaf) => leaf === null)) target[name] = null;
}
