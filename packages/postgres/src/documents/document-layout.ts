/**
 * Where the fields of a document are: ids and version have columns, so that keys and guards are cheap; everything else
 * is in one JSONB, in the shape of the class. Each field has an expression in its own SQL type, made of immutable
 * functions only, so that it can be indexed:
 *
 * - text, enums and dates are strings (dates compare as text, being written year first), uuids cast from strings
 * - integers, bigints, decimals and floats are numbers, which JSONB keeps exactly; NaN, infinities and -0 are strings
 * - timestamps are whole milliseconds or microseconds since 1970: no cast of a written time is immutable
 * - bytes are base64; an absent value has no key, so that JSON's null in a json property is a value of its own
 */
import { type EntityModel, type Field, JSON_NULL, type Operand, type Value } from '@storeweave/core';
import { type Containment, columnType, jsonText, quoteName, quoteTable, type TableLayout } from '@storeweave/sql';
import { quoteText } from '../schema/design.js';
import { elementJson, jsonOf } from './document-json.js';

export class DocumentLayout implements TableLayout {
  readonly table: string;
  readonly documentColumn: string;
  /** The document as a whole, as if it were a field: its values are JSON text. */
  readonly document: Field;
  /** Keys to take out of an object, as if they were a field. */
  readonly removedKeys: Field;
  readonly #columns: ReadonlySet<Field>;
  /** Fields that an index of their own begins with. */
  readonly #leading: ReadonlySet<Field | undefined>;

  constructor(
    readonly entity: EntityModel,
    readonly schema: string | undefined,
  ) {
    this.table = quoteTable(entity.source, schema);
    this.#columns = new Set([...entity.ids, ...(entity.version === undefined ? [] : [entity.version])]);
    this.#leading = new Set(entity.indexes.map(({ fields, where }) => (where === undefined ? fields[0] : undefined)));
    let name = 'doc';
    while ([...this.#columns].some(({ column }) => column === name)) name = `_${name}`;
    this.documentColumn = name;
    this.document = syntheticField(name, false);
    this.removedKeys = syntheticField(name, true);
  }

  hasColumn(field: Field): boolean {
    return this.#columns.has(field) || field === this.document;
  }

  type(field: Field): string {
    if (field === this.document) return 'jsonb';
    if (field === this.removedKeys) return 'text[]';
    if (this.#columns.has(field)) return columnType(field);
    return field.array ? `${elementType(field)}[]` : elementType(field);
  }

  /** `alias` may be empty: then the expression is that of an index definition. */
  expression(field: Field, alias: string): string {
    const prefix = alias === '' ? '' : `${alias}.`;
    if (this.hasColumn(field)) return `${prefix}${quoteName(field.column)}`;
    const last = field.path.length - 1;
    let object = `${prefix}${quoteName(this.documentColumn)}`;
    for (const key of field.path.slice(0, last)) object += `->${quoteText(key)}`;
    const key = quoteText(field.path[last] ?? '');
    if (field.array) {
      const json = `(${object}->${key})`;
      return `(case when jsonb_typeof${json} = 'array' then array(select ${scalar(field, 'e.v')} from jsonb_array_elements_text${json} as e(v)) end)`;
    }
    return field.type === 'json' ? `(${object}->${key})` : scalar(field, `(${object}->>${key})`);
  }

  containing(op: 'eq' | 'contains', on: Operand, value: Value): Containment | undefined {
    const { field, path = [] } = on;
    // Positions in an array are no keys of an object; a null is no value to look for.
    if (this.hasColumn(field) || path.some((key) => /^\d+$/.test(key)) || value === null || value === JSON_NULL)
      return undefined;
    const within = (json: string) =>
      [...field.path, ...path].reduceRight((inner, key) => `{${JSON.stringify(key)}:${inner}}`, json);
    if (field.type === 'json' || path.length > 0) {
      const json = jsonText(value);
      if (json === undefined) return undefined;
      const isScalar = typeof value !== 'object';
      if (op === 'eq') return { anyOf: [within(json)], exact: isScalar };
      // At a path a string may also be meant as a part of a string, which no index knows.
      if (path.length > 0 && typeof value === 'string') return undefined;
      return { anyOf: isScalar ? [within(json), within(`[${json}]`)] : [within(json)], exact: true };
    }
    if (op === 'contains') {
      if (!field.array) return undefined;
      const element = elementJson(this.entity, field);
      const values = Array.isArray(value) ? value : [value];
      return { anyOf: [within(`[${values.map(element).join(',')}]`)], exact: true };
    }
    if (field.array || field.type === 'float' || this.#leading.has(field)) return undefined;
    return { anyOf: [within(jsonOf(this.entity, field)(value))], exact: true };
  }

  /** What an index on the field is made of: the column, or an expression in parentheses. */
  indexed(field: Field): string {
    if (this.hasColumn(field)) return quoteName(field.column);
    if (!field.array) return `(${this.expression(field, '')})`;
    const last = field.path.length - 1;
    const object = [quoteName(this.documentColumn), ...field.path.slice(0, last).map(quoteText)].join('->');
    return `((${object}->${quoteText(field.path[last] ?? '')}))`;
  }
}

/** Type of one value of a field inside the document. */
function elementType(field: Field): string {
  switch (field.type) {
    case 'string':
    case 'text':
    case 'enum':
    case 'date':
      return 'text';
    default:
      return columnType({ ...field, array: false });
  }
}

/** A value inside the document, given as text, in its SQL type. */
function scalar(field: Field, text: string): string {
  switch (field.type) {
    case 'string':
    case 'text':
    case 'enum':
    case 'json':
      return text;
    case 'date':
      return `(${text} collate "C")`;
    case 'bytes':
      return `decode(${text}, 'base64')`;
    case 'timestamp': {
      const value = `(${text})::bigint`;
      const [perSecond, unit] = field.timePrecision === 'ms' ? [1000, 'millisecond'] : [1_000_000, 'microsecond'];
      return `((timestamp '1970-01-01' + interval '1 second' * (${value} / ${perSecond}) + interval '1 ${unit}' * (${value} % ${perSecond})) at time zone 'UTC')`;
    }
    default:
      return `(${text})::${elementType(field)}`;
  }
}

function syntheticField(name: string, array: boolean): Field {
  return {
    name,
    path: [name],
    column: name,
    index: -1,
    role: 'property',
    type: 'text',
    array,
    nullable: false,
    unique: false,
    id: false,
    timePrecision: 'ms',
    codec: { toRow: (value) => value, fromRow: (value) => value, equals: Object.is, identity: true },
  };
}
