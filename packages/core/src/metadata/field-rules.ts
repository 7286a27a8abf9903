/** What a single property must satisfy, whatever its neighbours are. */
import type { EntityKind } from '../model/entity-model.js';
import type { FieldType } from '../model/field.js';
import type { FieldDeclaration, KnownDeclaration } from './declarations.js';
import type { EntityDraft } from './draft.js';

type Say = (message: string) => void;

const TYPES: readonly FieldType[] = [
  'string',
  'text',
  'integer',
  'bigint',
  'float',
  'decimal',
  'boolean',
  'date',
  'timestamp',
  'uuid',
  'json',
  'bytes',
  'enum',
];
const TAG_TYPES: readonly FieldType[] = ['string', 'text', 'uuid', 'integer', 'bigint', 'boolean', 'enum', 'date'];
const NOT_ID_TYPES: readonly FieldType[] = ['float', 'json', 'bytes', 'boolean'];
const TIME_PRECISIONS: readonly unknown[] = ['ms', 'us', 'ns'];

/** The declared type, or what the compiler's emitted metadata says where none is declared. */
export function resolveType(member: FieldDeclaration, say: Say): FieldType | undefined {
  const { type } = member.options;
  if (type === undefined) return typeFromDesign(member, say);
  if (!TYPES.includes(type)) {
    say(`'${String(type)}' is no type. Use one of ${TYPES.join(', ')}.`);
    return undefined;
  }
  const fits = jsTypeOf(type, member.options.precision);
  const actual = member.designType;
  if (
    member.options.convert === undefined &&
    member.options.array !== true &&
    fits !== undefined &&
    typeof actual === 'function' &&
    [String, Number, Boolean, BigInt, Date].includes(actual as StringConstructor) &&
    actual !== fits
  ) {
    say(
      `@${member.by} keeps ${article(type)}, which is a ${fits.name} in the class, but the property is a ${actual.name}. Change one of them.`,
    );
  }
  return type;
}

function typeFromDesign(member: FieldDeclaration, say: Say): FieldType | undefined {
  switch (member.designType) {
    case String:
      return 'string';
    case Number:
      return 'float';
    case Boolean:
      return 'boolean';
    case BigInt:
      return 'bigint';
    case Date:
      return 'timestamp';
    case Uint8Array:
    case Buffer:
      return 'bytes';
    default:
      say(
        `@${member.by}() needs a type, like @${member.by}('string')${
          member.designType === undefined
            ? '; without emitDecoratorMetadata nothing else tells it'
            : '; the emitted metadata does not say enough for a union, array or object'
        }.`,
      );
      return undefined;
  }
}

function jsTypeOf(type: FieldType, precision: unknown): { readonly name: string } | undefined {
  switch (type) {
    case 'integer':
    case 'float':
      return Number;
    case 'bigint':
      return BigInt;
    case 'boolean':
      return Boolean;
    case 'timestamp':
      return precision === 'us' || precision === 'ns' ? BigInt : Date;
    case 'string':
    case 'text':
    case 'uuid':
    case 'decimal':
    case 'date':
      return String;
    default:
      return undefined;
  }
}

function article(type: string): string {
  return `${/^[aei]/.test(type) ? 'an' : 'a'} ${type}`;
}

/** Options against the type, and ids, tags, versions and times against what they have to be. */
export function checkField(member: FieldDeclaration, type: FieldType, say: Say): void {
  const { options } = member;
  if (type === 'enum' && (options.values === undefined || options.values.length === 0)) {
    say("an enum needs its values: @Property('enum', { values: ['a', 'b'] }).");
  }
  if (type !== 'enum' && options.values !== undefined) say(`values are for an enum, and this is ${article(type)}.`);
  if (type === 'json' && options.array === true) say('json holds arrays by itself; take { array: true } away.');
  if (options.length !== undefined && (type !== 'string' || !isCount(options.length))) {
    say("length is the greatest number of characters of a 'string', at least 1.");
  }
  checkPrecision(member, type, say);
  if (member.id !== undefined) checkId(member, type, say);
  if (member.role === 'tag') {
    if (!TAG_TYPES.includes(type) || options.array === true) {
      say(
        `a tag cannot be ${options.array === true ? `an array of ${type}` : article(type)}: tags name a series. Use ${TAG_TYPES.join(', ')}, or make it a @Field.`,
      );
    }
    if (options.nullable === true)
      say('a tag is part of the identity of a point and cannot be null. Use an empty string, or make it a @Field.');
  }
  if (member.role === 'timestamp' && (type !== 'timestamp' || options.array === true || options.nullable === true)) {
    say('@Timestamp is the time of a point: a timestamp that is never null.');
  }
  checkSpecial(member, type, say);
}

function checkPrecision(member: FieldDeclaration, type: FieldType, say: Say): void {
  const { precision, scale } = member.options;
  if (type === 'timestamp') {
    if (precision !== undefined && !TIME_PRECISIONS.includes(precision))
      say("the precision of a timestamp is 'ms', 'us' or 'ns'.");
  } else if (precision !== undefined && (type !== 'decimal' || typeof precision !== 'number' || !isCount(precision))) {
    say("precision is the number of digits of a 'decimal', at least 1.");
  }
  if (scale !== undefined && (type !== 'decimal' || typeof precision !== 'number' || scale < 0 || scale > precision)) {
    say("scale is the number of digits after the point of a 'decimal'; give a precision that is at least as great.");
  }
}

function checkId(member: FieldDeclaration, type: FieldType, say: Say): void {
  const { options } = member;
  if (NOT_ID_TYPES.includes(type) || options.array === true) {
    say(`${options.array === true ? 'an array' : article(type)} cannot be an id. Use uuid, string, integer or bigint.`);
  }
  if (options.nullable === true) say('an id cannot be null.');
  if (member.id?.generated === 'sequence' && type !== 'integer' && type !== 'bigint') {
    say(
      `a sequence makes whole numbers, and this id is ${article(type)}. Use @Id('integer', { generated: 'sequence' }) or 'bigint'.`,
    );
  }
  if (member.id?.generated === 'uuid' && type !== 'uuid' && type !== 'string' && type !== 'text') {
    say(`a generated UUID does not fit ${article(type)}. Use @Id() or @Id('string', { generated: 'uuid' }).`);
  }
}

function checkSpecial(member: FieldDeclaration, type: FieldType, say: Say): void {
  const { nullable, array, precision } = member.options;
  switch (member.special) {
    case 'version':
      if ((type !== 'integer' && type !== 'bigint') || array === true || nullable === true) {
        say(
          `a version counts updates: it must be an integer or bigint that is never null, and this is ${article(type)}.`,
        );
      }
      break;
    case 'createdAt':
    case 'updatedAt':
      if (type !== 'timestamp' || array === true || (precision ?? 'ms') !== 'ms') {
        say(`@${member.by} must be a timestamp of precision 'ms' (a Date), and this is ${article(type)}.`);
      }
      break;
    case 'softDelete':
      if (type !== 'timestamp' || array === true || nullable === false || (precision ?? 'ms') !== 'ms') {
        say('@SoftDelete must be a nullable timestamp (Date | null): null means that the entity is there.');
      }
      break;
    default:
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

/** Decorators that belong to some kinds of entities only. */
export function checkRole(
  draft: EntityDraft,
  member: KnownDeclaration,
  report: (property: string, message: string) => void,
): void {
  const { kind } = draft.declaration;
  const measurement = kind === 'measurement';
  if (member.kind === 'field') {
    const pointRole = member.role !== 'property';
    if (pointRole && !measurement) {
      report(
        member.name,
        `@${member.by} is for measurements, and ${draft.name} is ${describeKind(kind)}. Use @Property('${member.options.type ?? 'timestamp'}').`,
      );
    } else if (!pointRole && measurement) {
      report(
        member.name,
        `@${member.by} cannot stand in a measurement. Its identity is the timestamp with the tags, and a point is not updated: use @Timestamp, @Tag or @Field.`,
      );
    }
  } else if (member.kind === 'embedded' && measurement) {
    report(member.name, 'a measurement has no embedded objects. Use a @Field for each value.');
  } else if (member.kind === 'relation' && member.endpoint !== undefined && kind !== 'relationship') {
    report(
      member.name,
      `@${member.by} is for @Relationship classes, and ${draft.name} is ${describeKind(kind)}. Use @ManyToOne.`,
    );
  }
}

function describeKind(kind: EntityKind): string {
  return kind === 'document' || kind === 'node' || kind === 'relationship' || kind === 'measurement'
    ? `a ${kind}`
    : `a ${kind} entity`;
}
