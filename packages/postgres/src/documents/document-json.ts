/** Neutral values as JSON text, exact: digits of a decimal or bigint go into the document as they are. */
import { type EntityModel, type Field, NotNullViolationError, type Row, type Value } from '@storeweave/core';
import { encoderOf } from '@storeweave/sql';

type Encode = (value: Value) => string;

/** JSON text of a value of the field (of an array field: of the array). Never given null. */
export function jsonOf(entity: EntityModel, field: Field): Encode {
  const element = elementJson(entity, field);
  if (!field.array) return element;
  return (value) => `[${(value as Value[]).map((each) => (each === null ? 'null' : element(each))).join(',')}]`;
}

/** JSON text of one element of the field. */
export function elementJson(entity: EntityModel, field: Field): Encode {
  switch (field.type) {
    case 'integer':
    case 'bigint':
      return String;
    case 'timestamp':
      return (value) => {
        const text = String(value);
        const ms = field.timePrecision === 'ms' ? Number(text) : Number(BigInt(text) / 1000n);
        if (!(ms >= EARLIEST_MS && ms < LATEST_MS)) {
          throw encoderOf(entity, field).fail('it is before 4714 BC or after 294276, where PostgreSQL has no time');
        }
        return text;
      };
    case 'boolean':
      return (value) => (value === true ? 'true' : 'false');
    case 'float':
      return (value) =>
        Number.isFinite(value) && !Object.is(value, -0)
          ? String(value)
          : JSON.stringify(Object.is(value, -0) ? '-0' : String(value));
    case 'decimal':
      return (value) => decimalJson(String(value));
    case 'enum':
      return (value) => JSON.stringify(value);
    case 'uuid':
      return (value) => JSON.stringify(String(value).toLowerCase());
    case 'bytes':
      return (value) => {
        const bytes = value as Uint8Array;
        return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`;
      };
    case 'json':
      return encoderOf(entity, field).element;
    default: {
      const checked = encoderOf(entity, field).element;
      return (value) => (plain.test(value as string) ? `"${value as string}"` : JSON.stringify(checked(value)));
    }
  }
}

/** Ends of PostgreSQL's own time. A number beyond them could be stored, but never read as a time again. */
const EARLIEST_MS = -210_866_803_200_000;
const LATEST_MS = 9_224_318_016_000_000;

/** Text that is its own JSON, which nearly all is. */
const plain = /^[ !#-[\]-~]*$/;

const decimal = /^([+-]?)0*(\d*)(?:\.(\d*))?$/;

/** JSON has neither a plus, nor leading zeros, nor a bare point; what is no decimal at all the server refuses. */
function decimalJson(text: string): string {
  const found = decimal.exec(text);
  if (found === null) return JSON.stringify(text);
  const [, sign, whole, fraction] = found;
  const digits = whole === '' || whole === undefined ? '0' : whole;
  return `${sign === '-' ? '-' : ''}${digits}${fraction ? `.${fraction}` : ''}`;
}

/** Leaves and inner objects of a document, or of the part of it that a batch writes. */
export interface DocumentTree {
  readonly path: readonly string[];
  readonly leaves: readonly {
    readonly key: string;
    readonly field: Field;
    readonly encode: Encode;
    readonly at: number;
  }[];
  readonly objects: readonly { readonly key: string; readonly tree: DocumentTree }[];
}

/** The fields of a batch as a tree; `at` is the position of each in the batch's rows. */
export function treeOf(
  entity: EntityModel,
  fields: readonly { readonly field: Field; readonly at: number }[],
  path: readonly string[] = [],
): DocumentTree {
  const depth = path.length;
  const inner = new Map<string, { readonly field: Field; readonly at: number }[]>();
  const leaves: DocumentTree['leaves'][number][] = [];
  for (const each of fields) {
    const key = each.field.path[depth] ?? '';
    if (each.field.path.length === depth + 1) {
      leaves.push({ key, ...each, encode: jsonOf(entity, each.field) });
      continue;
    }
    const group = inner.get(key);
    if (group === undefined) inner.set(key, [each]);
    else group.push(each);
  }
  const objects = [...inner].map(([key, group]) => ({ key, tree: treeOf(entity, group, [...path, key]) }));
  return { path, leaves, objects };
}

/** JSON text of the object; undefined for one without any key. */
export function objectJson(entity: EntityModel, tree: DocumentTree, row: Row): string | undefined {
  let text = '';
  for (const { key, field, encode, at } of tree.leaves) {
    const value = row[at];
    if (value === null || value === undefined) {
      if (!field.nullable) throw missing(entity, field);
      continue;
    }
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${encode(value)}`;
  }
  for (const { key, tree: inner } of tree.objects) {
    const object = objectJson(entity, inner, row);
    if (object !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${object}`;
  }
  return text === '' ? undefined : `{${text}}`;
}

/** Inside a document no constraint of the database watches over required properties. */
export function missing(entity: EntityModel, field: Field): NotNullViolationError {
  return new NotNullViolationError(
    `${entity.name}.${field.name} must have a value, and none was given. Set it, or declare the property nullable.`,
    { entity: entity.name, property: field.name },
  );
}
