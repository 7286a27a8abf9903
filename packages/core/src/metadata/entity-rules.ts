/** What an entity must satisfy as a whole, and what all entities of one store must satisfy together. */

import { describeValue } from '../model/codec.js';
import type { EntityDraft } from './draft.js';
import { suggestion } from './indexes.js';
import { MAX_NAME } from './naming.js';
import type { Problems } from './problems.js';

const RETENTION = /^\d+\s*(ms|s|m|h|d|w)$/;

/** Identity, kind and hooks. */
export function checkEntity(draft: EntityDraft, problems: Problems): void {
  checkHooks(draft, problems);
  const { kind, ids, timestamp, fields } = draft.model;
  if (kind === 'measurement') {
    if (timestamp === undefined && !brokenRole(draft, 'timestamp')) {
      problems.add(draft.name, undefined, 'is a measurement without a time. Add @Timestamp() at!: Date.');
    }
    if (!fields.some((field) => field.role === 'measure') && !brokenRole(draft, 'measure')) {
      problems.add(draft.name, undefined, 'is a measurement that measures nothing. Add a @Field() value!: number.');
    }
  } else if (kind !== 'relationship' && ids.length === 0 && !hasBrokenId(draft)) {
    problems.add(
      draft.name,
      undefined,
      'has no id. Add @Id() id!: string for a generated UUID, or mark the natural key with @Id.',
    );
  }
}

function checkHooks(draft: EntityDraft, problems: Problems): void {
  for (const [event, methods] of draft.model.hooks) {
    for (const method of methods) {
      const found: unknown = (draft.target.prototype as Record<string, unknown>)[method];
      if (typeof found === 'function') continue;
      problems.add(
        draft.name,
        method,
        `is called ${event}, but the class has no such method. Add it, or take the hook away.`,
      );
    }
  }
}

function brokenRole(draft: EntityDraft, role: string): boolean {
  return [...draft.members.values()].some((m) => m.kind === 'field' && m.role === role && draft.broken.has(m.name));
}

function hasBrokenId(draft: EntityDraft): boolean {
  return [...draft.members.values()].some((m) => m.kind === 'field' && m.id !== undefined && draft.broken.has(m.name));
}

/** Columns within an entity, sources and indexes within a store: each name once, and none too long. */
export function checkNames(drafts: readonly EntityDraft[], problems: Problems): void {
  const sources = new Map<string, EntityDraft>();
  const indexes = new Map<string, EntityDraft>();
  for (const draft of drafts) {
    const { model } = draft;
    const source = JSON.stringify([model.store, model.model, model.namespace ?? '', model.source]);
    const other = sources.get(source);
    if (other === undefined) sources.set(source, draft);
    else if (draft.part !== true || other.part !== true) {
      problems.add(
        draft.name,
        undefined,
        `is kept as '${model.source}' in store '${model.store}', and so is ${other.name}. Give one of them another name.`,
      );
    }
    if (Buffer.byteLength(model.source) > MAX_NAME) {
      problems.add(
        draft.name,
        undefined,
        `'${model.source}' is longer than the ${MAX_NAME} bytes that every store takes as a name.`,
      );
    }
    checkColumns(draft, problems);
    for (const index of model.indexes) {
      const key = JSON.stringify([model.store, model.namespace ?? '', index.name]);
      const holder = indexes.get(key);
      if (holder !== undefined && (draft.part !== true || holder.part !== true || holder === draft)) {
        problems.add(
          draft.name,
          undefined,
          `has an index '${index.name}', and ${holder === draft ? 'another of that name' : `so has ${holder.name}`}. Name one of them with { name }.`,
        );
      }
      indexes.set(key, draft);
      if (Buffer.byteLength(index.name) > MAX_NAME) {
        problems.add(draft.name, undefined, `the index name '${index.name}' is longer than ${MAX_NAME} bytes.`);
      }
    }
  }
}

function checkColumns(draft: EntityDraft, problems: Problems): void {
  const columns = new Map<string, string>();
  for (const field of draft.model.fields) {
    const other = columns.get(field.column);
    if (other !== undefined) {
      problems.add(
        draft.name,
        field.name,
        `is kept in column '${field.column}', and so is '${other}'. Give one of them another { column } (or an embedded object another { prefix }).`,
      );
    }
    columns.set(field.column, field.name);
  }
}

/** A field by its path, or the property of a reference with a composite key. */
function isStored(draft: EntityDraft, property: string): boolean {
  return draft.model.fields.some(
    (field) => field.name === property || (field.role === 'reference' && field.path[0] === property),
  );
}

/** Annotations of later layers, as far as they name properties. */
export function checkAnnotations(draft: EntityDraft, problems: Problems): void {
  const annotations = new Map<string, unknown>();
  for (const { key, by, value, properties = [] } of draft.annotations) {
    for (const property of properties) {
      if (draft.broken.has(property) || isStored(draft, property)) continue;
      problems.add(
        draft.name,
        undefined,
        `@${by} names '${property}', which is no property of ${draft.name}.${suggestion(draft, property)}`,
      );
    }
    annotations.set(key, value);
  }
  const { retention } = draft.declaration.options ?? {};
  if (retention !== undefined) {
    if (typeof retention !== 'string' || !RETENTION.test(retention)) {
      problems.add(
        draft.name,
        undefined,
        `the retention ${describeValue(retention)} is no length of time. Write a number with s, m, h, d or w: '30d'.`,
      );
    }
    annotations.set('retention', retention);
  }
  draft.model.annotations = annotations;
}
