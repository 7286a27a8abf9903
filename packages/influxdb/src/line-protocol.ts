/**
 * Points as lines: `measurement,tag=value field=value time`. Tags and keys escape commas, equals signs and spaces with a
 * backslash, strings escape quotes and backslashes; the official client's own `Point` turns newlines into a backslash and
 * an n, which loses them. A point that cannot be written is refused by name, before anything is sent.
 */
import { type Field, InvalidValueError, NotNullViolationError, type Row, type Value } from '@storeweave/core';
import type { Layout } from './names.js';
import { MAX_TIME, MIN_TIME } from './nanos.js';
import { fieldForm, tagForm, Unkeepable } from './values.js';

/** The series of the points of one batch that have the same tags. */
export interface Series {
  /** Measurement and tags, escaped. */
  readonly text: string;
  /** What the batch's user keeps of its points, by their time. */
  readonly places: Map<number | bigint, number>;
}

export interface Line {
  readonly series: Series;
  /** In units of the timestamp's precision. */
  readonly time: number | bigint;
  /** The whole line. */
  readonly text: string;
}

/** Limit of the server on measurement and tags together, in bytes. */
const MAX_SERIES = 65_535;

export type LineWriter = (row: Row) => Line;

/** Series by the values of their tags, one level for each. */
interface Branch extends Map<Value, Branch | Series> {}

/** Makes lines of the rows of one batch, which are aligned with the fields of the entity. */
export function lineWriter(layout: Layout): LineWriter {
  const { entity, time, unit, presence } = layout;
  const head = layout.measurement.replaceAll(/[, ]/g, '\\$&');
  const tags = layout.tags.map((field) => ({ field, key: `,${escapeKey(field.column)}=`, form: tagForm(field) }));
  const fields = layout.measures.map((field) => ({
    field,
    key: `${escapeKey(field.column)}=`,
    form: fieldForm(field),
  }));
  const presenceKey = presence === undefined ? undefined : `${escapeKey(presence)}=`;
  const refuse = (row: Row, field: Field, value: Value, error: unknown): never => {
    if (!(error instanceof Unkeepable)) throw error;
    throw new InvalidValueError(
      `${entity.name}.${field.name} of the point ${describePoint(layout, row)} ${error.message}. Nothing of the batch was sent.`,
      { entity: entity.name, property: field.name, key: keyOf(layout, row), store: entity.store, cause: value },
    );
  };

  const makeSeries = (row: Row): Series => {
    let text = head;
    for (const { field, key, form } of tags) {
      try {
        text += key + escapeTag(form.to(row[field.index]));
      } catch (error) {
        refuse(row, field, row[field.index], error);
      }
    }
    if (text.length > MAX_SERIES / 3 && Buffer.byteLength(text) > MAX_SERIES) {
      throw new InvalidValueError(
        `The tags of the point of ${entity.name} ${describePoint(layout, row)} are longer than the ${MAX_SERIES} bytes that InfluxDB takes together. Move long texts to fields. Nothing of the batch was sent.`,
        { entity: entity.name, key: keyOf(layout, row), store: entity.store },
      );
    }
    return { text, places: new Map() };
  };

  // Batches have many points of few series: each is made once, found by one tag after the other.
  const known: Branch = new Map();
  const seriesOf = (row: Row): Series => {
    let branch = known;
    let found: Branch | Series | undefined = known;
    for (const [i, { field }] of tags.entries()) {
      const value = row[field.index];
      if (value === null || value === undefined) throw missing(layout, field);
      found = branch.get(value);
      if (found === undefined) {
        found = i === tags.length - 1 ? makeSeries(row) : new Map();
        branch.set(value, found);
      }
      if (found instanceof Map) branch = found;
    }
    if (!(found instanceof Map)) return found;
    bare ??= makeSeries(row);
    return bare;
  };
  let bare: Series | undefined;
  const [least, greatest] = [-(-MIN_TIME / unit), MAX_TIME / unit];

  return (row) => {
    const series = seriesOf(row);
    let values = '';
    let present = ',';
    for (const { field, key, form } of fields) {
      const value = row[field.index];
      if (value === null || value === undefined) {
        if (!field.nullable) throw missing(layout, field);
        continue;
      }
      try {
        values += `${values === '' ? '' : ','}${key}${form.toLine(value)}`;
      } catch (error) {
        refuse(row, field, value, error);
      }
      if (field.nullable) present += `${field.column},`;
    }
    if (presenceKey !== undefined) values += `${values === '' ? '' : ','}${presenceKey}"${present}"`;
    const at = row[time.index] as number | bigint | null | undefined;
    if (at === null || at === undefined) throw missing(layout, time);
    if (at < least || at > greatest) {
      refuse(row, time, at, new Unkeepable('is outside of the years 1677 to 2262, which is what InfluxDB keeps'));
    }
    return { series, time: at, text: `${series.text} ${values} ${at}` };
  };
}

/** Names a point for people: `at 2001-01-01T00:00:00.000Z, depot="north"`. */
export function describePoint(layout: Layout, row: Row): string {
  const at = row[layout.time.index];
  const isDate = layout.time.timePrecision === 'ms' && typeof at === 'number' && Math.abs(at) <= 8.64e15;
  const time = isDate ? new Date(at).toISOString() : `${String(at)}${layout.time.timePrecision}`;
  const tags = layout.tags.map((field) => `${field.name}=${JSON.stringify(String(row[field.index])).slice(0, 80)}`);
  return [`at ${time}`, ...tags].join(', ');
}

/** Identity of a row, in the order of the entity's ids. */
export function keyOf(layout: Layout, row: Row): Row {
  return layout.entity.ids.map((field) => row[field.index]);
}

function missing({ entity }: Layout, field: Field): NotNullViolationError {
  return new NotNullViolationError(
    `${entity.name}.${field.name} has no value but is not nullable. Give it one or declare it nullable.`,
    { entity: entity.name, property: field.name, store: entity.store },
  );
}

function escapeKey(text: string): string {
  return text.replaceAll(/[,= ]/g, '\\$&');
}

function escapeTag(text: string): string {
  return SPECIAL.test(text) ? text.replaceAll(/[,= ]/g, '\\$&') : text;
}

const SPECIAL = /[,= ]/;
