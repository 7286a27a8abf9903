/**
 * What a name in a query can mean: a stored field, an embedded object with members of its own, or a relation. Built once
 * per entity from its model, because every filter, order and selection starts by looking names up.
 */
import { InvalidQueryError } from '../errors/errors.js';
import type { EmbeddedModel, EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';

export type Member =
  | { readonly kind: 'field'; readonly field: Field }
  | { readonly kind: 'embedded'; readonly embedded: EmbeddedModel; readonly members: Members }
  /** `fields` hold the key of the relation where it is in this entity's own row; empty where it is elsewhere. */
  | { readonly kind: 'relation'; readonly relation: RelationModel; readonly fields: readonly Field[] };

export type Members = ReadonlyMap<string, Member>;

const known = new WeakMap<EntityModel, Members>();

/** The members of an entity by their property names. */
export function membersOf(entity: EntityModel): Members {
  let members = known.get(entity);
  if (members === undefined) {
    members = build(entity);
    known.set(entity, members);
  }
  return members;
}

function build(entity: EntityModel): Members {
  const root = new Map<string, Member>();
  const embedded = new Map<string, Map<string, Member>>([['', root]]);
  for (const part of entity.embeddeds) {
    const members = new Map<string, Member>();
    embedded.set(part.path.join('.'), members);
    const parent = embedded.get(part.path.slice(0, -1).join('.'));
    parent?.set(part.path.at(-1) ?? part.name, { kind: 'embedded', embedded: part, members });
  }
  for (const relation of entity.relations) {
    root.set(relation.name, {
      kind: 'relation',
      relation,
      fields: relation.join.via === 'owner' ? relation.join.fields : [],
    });
  }
  for (const field of entity.fields) {
    const parent = embedded.get(field.path.slice(0, -1).join('.'));
    const name = field.path.at(-1) ?? field.name;
    if (parent?.get(name) === undefined) parent?.set(name, { kind: 'field', field });
  }
  return root;
}

/** Says that a property does not exist, and which one was perhaps meant. */
export function unknownProperty(
  entity: EntityModel,
  path: readonly string[],
  members: Members,
  where: string,
): InvalidQueryError {
  const name = path.at(-1) ?? '';
  const names = [...members.keys()];
  const near = nearest(name, names);
  const hint =
    near === undefined ? `It has: ${names.join(', ')}.` : `Did you mean "${[...path.slice(0, -1), near].join('.')}"?`;
  return new InvalidQueryError(`${entity.name} has no property "${path.join('.')}" (${where}). ${hint}`, {
    entity: entity.name,
    property: path.join('.'),
  });
}

/** The name that differs least from a misspelt one, if any is near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitute, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
