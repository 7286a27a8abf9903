/** Indexes: those that the user declared, and those without which a relation could not be read. */
import type { IndexModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import type { EntityDraft } from './draft.js';
import type { Link } from './links.js';
import { shorten, snakeCase } from './naming.js';
import type { Problems } from './problems.js';

/** Indexes of one entity. `keys` are fields that some relation is read by. */
export function buildIndexes(draft: EntityDraft, keys: readonly (readonly Field[])[], problems: Problems): void {
  for (const declared of draft.indexes) {
    const fields: Field[] = [];
    if (declared.properties.length === 0) problems.add(draft.name, undefined, `@${declared.by} names no property.`);
    for (const property of declared.properties) {
      const found = fieldsOf(draft, property);
      if (found.length > 0) fields.push(...found);
      else if (!draft.broken.has(property)) {
        problems.add(
          draft.name,
          undefined,
          `@${declared.by}([${declared.properties.map((p) => `'${p}'`).join(', ')}]) names '${property}', which is no property of ${draft.name}.${suggestion(draft, property)}`,
        );
      }
    }
    add(draft, fields, declared);
  }
  for (const field of draft.model.fields) {
    if (field.unique) add(draft, [field], { unique: true });
  }
  for (const member of draft.members.values()) {
    if (member.kind === 'field' && member.options.index === true && member.options.unique !== true) {
      add(draft, fieldsOf(draft, member.name), { unique: false });
    }
  }
  for (const fields of keys) if (!isCovered(draft, fields)) add(draft, fields, { unique: false });
}

/** Fields that relations of this entity are read by from their other side. */
export function referenceKeys(draft: EntityDraft): Field[][] {
  const keys: Field[][] = [];
  for (const relation of draft.model.relations) {
    if (relation.join.via !== 'owner') continue;
    const member = draft.members.get(relation.name);
    if (member?.kind === 'relation' && member.index === false) continue;
    keys.push([...relation.join.fields]);
  }
  return keys;
}

/** The second key of a link: its identity begins with the first. */
export function linkKeys(link: Link): readonly (readonly Field[])[] {
  return [link.toFields];
}

function fieldsOf(draft: EntityDraft, property: string): Field[] {
  const { fields } = draft.model;
  const exact = fields.filter((field) => field.name === property);
  return exact.length > 0
    ? exact
    : fields.filter((field) => field.role === 'reference' && field.path.length > 1 && field.path[0] === property);
}

function add(
  draft: EntityDraft,
  fields: readonly Field[],
  options: { readonly unique: boolean; readonly where?: string; readonly name?: string; readonly type?: string },
): void {
  if (fields.length === 0) return;
  const { model } = draft;
  const same = model.indexes.some(
    (index) =>
      options.name === undefined &&
      options.where === undefined &&
      index.where === undefined &&
      options.type === index.type &&
      index.unique === options.unique &&
      sameFields(index.fields, fields),
  );
  if (same) return;
  const columns = fields.map((field) => field.column).join('_');
  const kind = options.where === undefined ? '' : '_where';
  const base =
    options.name ?? shorten(`${snakeCase(model.source)}_${columns}${kind}_${options.unique ? 'key' : 'idx'}`);
  const taken = new Set(model.indexes.map((index) => index.name));
  let name = base;
  for (let n = 2; taken.has(name) && options.name === undefined; n++) name = shorten(`${base}_${n}`);
  const index: IndexModel = {
    name,
    fields: [...fields],
    unique: options.unique,
    ...(options.where === undefined ? {} : { where: options.where }),
    ...(options.type === undefined ? {} : { type: options.type }),
  };
  model.indexes.push(index);
}

function sameFields(a: readonly Field[], b: readonly Field[]): boolean {
  return a.length === b.length && a.every((field, at) => field === b[at]);
}

/** True where the identity or a full index begins with these fields, so that another would only cost writes. */
function isCovered(draft: EntityDraft, fields: readonly Field[]): boolean {
  const begins = (list: readonly Field[]) => fields.every((field, at) => list[at] === field);
  return (
    begins(draft.model.ids) ||
    draft.model.indexes.some((index) => index.where === undefined && index.type === undefined && begins(index.fields))
  );
}

/** "Did you mean", for a name that is one or two letters off. */
export function suggestion(draft: EntityDraft, name: string): string {
  const near = draft.model.fields.find((field) => distance(field.name.toLowerCase(), name.toLowerCase()) <= 2);
  return near === undefined
    ? ` It has ${draft.model.fields.map((field) => field.name).join(', ')}.`
    : ` Did you mean '${near.name}'?`;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
