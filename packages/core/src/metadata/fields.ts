/** Makes the stored leaves of a class: its properties, and those of its embedded objects under their paths. */
import { InvalidValueError } from '../errors/errors.js';
import { type CodecSpec, describeValue, makeCodec } from '../model/codec.js';
import { type EmbeddedShape, embeddedArrayCodec } from '../model/codec-embedded.js';
import type { EmbeddedModel, EntityClass } from '../model/entity-model.js';
import type { FieldDefault, TimePrecision } from '../model/field.js';
import { membersOf } from './collect.js';
import type { EmbeddedDeclaration, FieldDeclaration, KnownDeclaration } from './declarations.js';
import type { EntityDraft, FieldDraft } from './draft.js';
import { checkField, checkRole, resolveType } from './field-rules.js';
import { shorten, snakeCase } from './naming.js';
import type { Problems } from './problems.js';

/** Where leaves hang: the class itself, or an embedded object of it. */
interface Place {
  /** Entity, for messages. */
  readonly entity: string;
  readonly path: readonly string[];
  readonly columnPrefix: string;
  /** An embedded object that may be null makes all its leaves nullable. */
  readonly nullable: boolean;
  /** Embedded classes on the way, against endless nesting. */
  readonly within: readonly EntityClass[];
}

interface Leaves {
  readonly fields: FieldDraft[];
  readonly embeddeds: EmbeddedModel[];
}

/** Fills the draft with the leaves of its own properties; keys of references come later. */
export function buildFields(draft: EntityDraft, problems: Problems): void {
  const place: Place = { entity: draft.name, path: [], columnPrefix: '', nullable: false, within: [draft.target] };
  const report = (name: string, message: string) => {
    draft.broken.add(name);
    problems.add(draft.name, name, message);
  };
  for (const member of draft.members.values()) {
    checkRole(draft, member, report);
    const leaves = leavesOf(member, place, problems, report);
    draft.model.fields.push(...leaves.fields);
    draft.model.embeddeds.push(...leaves.embeddeds);
    const [field] = leaves.fields;
    if (member.kind !== 'field' || field === undefined) continue;
    if (member.special !== undefined) {
      if (draft.model[member.special] !== undefined) {
        report(
          member.name,
          `is a second @${member.by}; '${draft.model[member.special]?.name}' is one already. Keep one of them.`,
        );
      }
      draft.model[member.special] = field;
    }
    if (member.role === 'timestamp') {
      if (draft.model.timestamp !== undefined) {
        report(
          member.name,
          `is a second @Timestamp; '${draft.model.timestamp.name}' is one already. A point has one time.`,
        );
      }
      draft.model.timestamp = field;
    }
  }
}

type Report = (property: string, message: string) => void;

function leavesOf(member: KnownDeclaration, place: Place, problems: Problems, report: Report): Leaves {
  if (member.kind === 'relation') return { fields: [], embeddeds: [] };
  if (member.kind === 'embedded') return embeddedLeaves(member, place, problems, report);
  const field = buildField(member, place, report);
  return { fields: field === undefined ? [] : [field], embeddeds: [] };
}

function buildField(member: FieldDeclaration, place: Place, report: Report): FieldDraft | undefined {
  const path = [...place.path, member.name];
  const name = path.join('.');
  const type = resolveType(member, (message) => report(name, message));
  if (type === undefined) return undefined;
  const { options } = member;
  checkField(member, type, (message) => report(name, message));
  const timePrecision: TimePrecision =
    type === 'timestamp' && typeof options.precision === 'string' ? options.precision : 'ms';
  const generated = generatedBy(member, type);
  const spec: CodecSpec = {
    entity: place.entity,
    property: name,
    type,
    array: options.array === true,
    timePrecision,
    ...(options.values === undefined ? {} : { enumValues: [...options.values] }),
    ...(options.length === undefined ? {} : { length: options.length }),
    ...(typeof options.precision === 'number' ? { precision: options.precision } : {}),
    ...(options.scale === undefined ? {} : { scale: options.scale }),
    ...(options.convert === undefined ? {} : { convert: options.convert }),
  };
  const { entity: _entity, property: _property, convert: _convert, ...shape } = spec;
  const codec = makeCodec(spec);
  const defaultValue =
    member.special === undefined ? fieldDefault(options.default, codec, (m) => report(name, m)) : undefined;
  return {
    ...shape,
    name,
    path,
    column: shorten(
      options.column === undefined ? place.columnPrefix + snakeCase(member.name) : place.columnPrefix + options.column,
    ),
    index: -1,
    role: member.role,
    nullable: place.nullable || options.nullable === true || member.special === 'softDelete',
    unique: options.unique === true,
    id: member.id !== undefined,
    codec,
    ...(generated === undefined ? {} : { generated }),
    ...(defaultValue === undefined ? {} : { default: defaultValue }),
  };
}

function generatedBy(member: FieldDeclaration, type: string): FieldDraft['generated'] {
  const generated = member.id?.generated ?? member.generated;
  if (generated === undefined || generated === false) return undefined;
  if (generated === 'auto') return type === 'uuid' ? 'uuid' : undefined;
  return generated;
}

function fieldDefault(
  value: unknown,
  codec: FieldDraft['codec'],
  report: (message: string) => void,
): FieldDefault | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'function') return { kind: 'factory', make: value as () => unknown };
  try {
    return { kind: 'value', value: codec.toRow(value) };
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    report(`the default does not fit: ${error.message}`);
    return undefined;
  }
}

function embeddedLeaves(member: EmbeddedDeclaration, place: Place, problems: Problems, report: Report): Leaves {
  const path = [...place.path, member.name];
  const name = path.join('.');
  const target = member.target();
  if (typeof target !== 'function') {
    report(
      name,
      target === undefined
        ? 'embeds a class that is undefined: its module is part of a circular import. Import the class from the file that defines it.'
        : `embeds ${describeValue(target)}; give a function that returns the class: @Embedded(() => Address).`,
    );
    return { fields: [], embeddeds: [] };
  }
  const type = target as unknown as EntityClass;
  if (place.within.includes(type)) {
    report(
      name,
      `embeds ${type.name} inside ${[...place.within.map((t) => t.name), type.name].join(' > ')}, which never ends. Use { array: true } of a class without it, a json property or a relation.`,
    );
    return { fields: [], embeddeds: [] };
  }
  const inner: Place = {
    entity: place.entity,
    path: member.array ? [] : path,
    columnPrefix: member.array ? '' : place.columnPrefix + (member.prefix ?? `${snakeCase(member.name)}_`),
    nullable: !member.array && (place.nullable || member.nullable),
    within: [...place.within, type],
  };
  const embeddedReport: Report = member.array ? (property, message) => report(`${name}.${property}`, message) : report;
  const members = member.members ?? [...membersOf(type, type.name, problems).values()];
  const leaves = leavesOfClass(type, members, inner, problems, embeddedReport);
  if (leaves.fields.length === 0) {
    report(name, `embeds ${type.name}, which has no properties. Decorate them with @Property('string') and the like.`);
  }
  if (member.array) return { fields: [embeddedArray(member, place, type, leaves)], embeddeds: [] };
  const own: EmbeddedModel = {
    name,
    path,
    target: type,
    nullable: member.nullable,
    ...(member.members === undefined ? {} : { implied: !member.nullable }),
  };
  return { fields: leaves.fields, embeddeds: [own, ...leaves.embeddeds] };
}

function leavesOfClass(
  type: EntityClass,
  members: readonly KnownDeclaration[],
  place: Place,
  problems: Problems,
  report: Report,
): Leaves {
  const all: Leaves = { fields: [], embeddeds: [] };
  for (const member of members) {
    const name = [...place.path, member.name].join('.');
    if (member.kind === 'relation' || (member.kind === 'field' && (member.id ?? member.special) !== undefined)) {
      report(name, `@${member.by} cannot stand in an embedded class (${type.name}). Put it on the entity itself.`);
      continue;
    }
    const leaves = leavesOf(member, place, problems, report);
    all.fields.push(...leaves.fields);
    all.embeddeds.push(...leaves.embeddeds);
  }
  return all;
}

function embeddedArray(member: EmbeddedDeclaration, place: Place, type: EntityClass, leaves: Leaves): FieldDraft {
  const path = [...place.path, member.name];
  const name = path.join('.');
  const shape: EmbeddedShape = {
    leaves: leaves.fields.map(({ path, type, array, nullable, codec }) => ({ path, type, array, nullable, codec })),
    objects: [{ path: [], target: type, nullable: false }, ...leaves.embeddeds],
  };
  const codec = embeddedArrayCodec(
    shape,
    (value, expected) =>
      new InvalidValueError(`${place.entity}.${name} takes ${expected}, but was given ${describeValue(value)}.`, {
        entity: place.entity,
        property: name,
      }),
  );
  return {
    name,
    path,
    column: shorten(place.columnPrefix + snakeCase(member.name)),
    index: -1,
    role: 'property',
    type: 'json',
    array: false,
    nullable: place.nullable || member.nullable,
    unique: false,
    id: false,
    timePrecision: 'ms',
    codec,
  };
}
