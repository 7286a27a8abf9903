/** Turns declared relations into joins, once every entity has its fields and keys. */

import type { Join, RelationKind, RelationModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import type { RelationDeclaration } from './declarations.js';
import type { EntityDraft, PendingRelation, RelationDraft } from './draft.js';
import type { Link, Links } from './links.js';
import type { Problems } from './problems.js';
import { ownsKey, type References } from './references.js';
import { selectedPath } from './selector.js';

/** All that relations are made with. */
export interface RelationContext {
  readonly references: References;
  readonly links: Links;
  readonly problems: Problems;
  /** Plain key properties that a relation reads by; they get an index. */
  readonly keyProperties: { readonly entity: EntityDraft; readonly fields: readonly Field[] }[];
}

const CONTAINER = {
  'many-to-one': 'ref',
  'one-to-one': 'ref',
  'one-to-many': 'collection',
  'many-to-many': 'collection',
  related: 'collection',
  series: 'series',
} as const satisfies Record<RelationKind, RelationModel['container']>;

/** Relations whose key is in the owner's row. They come first: others find their inverse among them. */
export function buildOwnerRelations(pending: readonly PendingRelation[], context: RelationContext): void {
  for (const { owner, declaration, target } of pending) {
    if (!ownsKey(declaration)) continue;
    const fields = context.references.of(owner, declaration);
    if (fields.length === 0) continue;
    const referred = declaration.key?.references.map((name) =>
      target.model.fields.find((field) => field.name === name),
    );
    const targetFields = referred?.filter((field) => field !== undefined) ?? target.model.ids;
    add(owner, target, declaration, { via: 'owner', fields, targetFields }, context);
  }
}

/** Endpoints of relationship classes, from their `@From` and `@To`. */
export function buildEndpoints(draft: EntityDraft, problems: Problems): void {
  if (draft.model.kind !== 'relationship') return;
  const ends = { from: [] as RelationDraft[], to: [] as RelationDraft[] };
  let declared = true;
  for (const end of ['from', 'to'] as const) {
    const members = [...draft.members.values()].filter((m) => m.kind === 'relation' && m.endpoint === end);
    const by = end === 'from' ? '@From' : '@To';
    if (members.length === 0) {
      problems.add(
        draft.name,
        undefined,
        `is a relationship without ${by}. Add ${by}(() => Airport) ${end}!: Ref<Airport>.`,
      );
      declared = false;
    }
    if (members.length > 1) problems.add(draft.name, members[1]?.name, `is a second ${by}; a relationship has one.`);
    ends[end] = draft.model.relations.filter((relation) => members.some((m) => m.name === relation.name));
  }
  const [from] = ends.from;
  const [to] = ends.to;
  if (!declared || from === undefined || to === undefined) return;
  draft.model.endpoints = {
    from: { entity: from.target, fields: joinFields(from.join) },
    to: { entity: to.target, fields: joinFields(to.join) },
  };
}

function joinFields(join: Join): readonly Field[] {
  return join.via === 'owner' ? join.fields : [];
}

/** Every other relation, in the order of declaration. */
export function buildOtherRelations(pending: readonly PendingRelation[], context: RelationContext): void {
  const waiting: PendingRelation[] = [];
  for (const relation of pending) {
    const { owner, declaration, target } = relation;
    if (ownsKey(declaration)) continue;
    if (owner.model.ids.length === 0 || target.model.ids.length === 0) continue; // its lack of an id is reported
    if (declaration.relation === 'many-to-many' && declaration.mappedBy !== undefined) {
      waiting.push(relation);
    } else if (declaration.relation === 'many-to-many' || declaration.relation === 'related') {
      addLinked(relation, context);
    } else {
      addInverse(relation, context);
    }
  }
  for (const relation of waiting) addMapped(relation, context);
}

function addLinked({ owner, declaration, target }: PendingRelation, context: RelationContext): void {
  for (const end of [owner, target]) {
    if (end.model.kind === 'measurement') {
      context.problems.add(
        owner.name,
        declaration.name,
        `${end.name} is a measurement, and its points cannot be linked. Use @Series for the points of an entity.`,
      );
      return;
    }
  }
  const { direction = 'out' } = declaration;
  if (direction === 'both' && owner !== target) {
    context.problems.add(
      owner.name,
      declaration.name,
      `direction 'both' is for a class related to itself; from ${owner.name} to ${target.name} it is 'out' or 'in'.`,
    );
  }
  const link =
    declaration.relation === 'related'
      ? context.links.related(owner, declaration, target)
      : context.links.manyToMany(owner, declaration, target);
  add(owner, target, declaration, linkJoin(link, direction), context);
}

function linkJoin(link: Link, direction: 'out' | 'in' | 'both'): Join {
  const [ownerFields, targetFields] =
    direction === 'in' ? [link.toFields, link.fromFields] : [link.fromFields, link.toFields];
  return { via: 'link', link: link.entity.model, ownerFields, targetFields, direction };
}

function addMapped({ owner, declaration, target }: PendingRelation, context: RelationContext): void {
  const { mappedBy } = declaration;
  const name = typeof mappedBy === 'string' ? mappedBy : mappedBy && selectedPath(mappedBy)?.join('.');
  const other = target.model.relations.find((relation) => relation.name === name);
  if (other === undefined || other.kind !== 'many-to-many' || other.join.via !== 'link') {
    context.problems.add(
      owner.name,
      declaration.name,
      `mappedBy names '${name ?? '?'}', which is no @ManyToMany of ${target.name} that owns the link. Name the property of ${target.name} that leads back to ${owner.name}.`,
    );
    return;
  }
  if (other.target !== owner.model) {
    context.problems.add(
      owner.name,
      declaration.name,
      `mappedBy names ${target.name}.${other.name}, which leads to ${other.target.name} and not to ${owner.name}.`,
    );
    return;
  }
  const join: Join = {
    ...other.join,
    ownerFields: other.join.targetFields,
    targetFields: other.join.ownerFields,
    direction: 'in',
  };
  bind(add(owner, target, declaration, join, context), other);
}

function addInverse({ owner, declaration, target }: PendingRelation, context: RelationContext): void {
  const say = (message: string) => context.problems.add(owner.name, declaration.name, message);
  const path = declaration.inverse === undefined ? undefined : selectedPath(declaration.inverse);
  if (path === undefined) {
    say(
      `needs a selector of the property of ${target.name} that leads back: @${declaration.by}(() => ${target.name}, x => x.${lower(owner.name)}).`,
    );
    return;
  }
  const name = path.join('.');
  if (declaration.relation === 'series' && target.model.kind !== 'measurement') {
    say(`${target.name} is no measurement. Use @OneToMany, or make ${target.name} a @Measurement.`);
    return;
  }
  const relation = target.model.relations.find((r) => r.name === name && r.join.via === 'owner');
  if (relation !== undefined) {
    if (relation.target !== owner.model && !inherits(owner, relation.target)) {
      say(`selects ${target.name}.${name}, which refers to ${relation.target.name} and not to ${owner.name}.`);
      return;
    }
    const { join } = relation;
    const fields = join.via === 'owner' ? join.targetFields : owner.model.ids;
    bind(add(owner, target, declaration, { via: 'target', fields, targetFields: joinFields(join) }, context), relation);
    return;
  }
  if (target.broken.has(name)) return;
  const field = target.model.fields.find((f) => f.name === name);
  if (field === undefined) {
    say(
      `selects '${name}', which is no property of ${target.name}. Select a @ManyToOne of ${target.name}, or a property that holds the id of ${owner.name}.`,
    );
    return;
  }
  const [id] = owner.model.ids;
  if (id === undefined || owner.model.ids.length > 1) {
    say(
      `selects ${target.name}.${name}, one property, but the id of ${owner.name} is composite (${owner.model.ids.map((f) => f.name).join(', ')}). Select a @ManyToOne instead.`,
    );
    return;
  }
  if (field.array || keyClass(field) === undefined || keyClass(field) !== keyClass(id)) {
    say(
      `selects ${target.name}.${name} of type ${field.type}${field.array ? '[]' : ''}, but the id of ${owner.name} is of type ${id.type}. They must be of one type to find each other.`,
    );
    return;
  }
  context.keyProperties.push({ entity: target, fields: [field] });
  add(owner, target, declaration, { via: 'target', fields: [id], targetFields: [field] }, context);
}

/** Types whose neutral values compare: a key written in one reads the same in the other. */
function keyClass(field: Field): string | undefined {
  switch (field.type) {
    case 'string':
    case 'text':
    case 'uuid':
    case 'enum':
      return 'text';
    case 'json':
    case 'bytes':
      return undefined;
    default:
      return field.type;
  }
}

function inherits(owner: EntityDraft, base: RelationModel['target']): boolean {
  return owner.target.prototype instanceof base.target;
}

function lower(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Both sides of one relation know each other; the first of several readers wins. */
function bind(relation: RelationDraft, other: RelationDraft): void {
  relation.inverse = other;
  other.inverse ??= relation;
}

function add(
  owner: EntityDraft,
  target: EntityDraft,
  declaration: RelationDeclaration,
  join: Join,
  context: RelationContext,
): RelationDraft {
  const kind = declaration.relation;
  const cascade = declaration.cascade;
  const onDelete = join.via === 'owner' ? foreignKey(owner, target, declaration, context.problems) : undefined;
  const relation: RelationDraft = {
    name: declaration.name,
    kind,
    container: CONTAINER[kind],
    owner: owner.model,
    target: target.model,
    join,
    nullable: join.via === 'owner' ? declaration.nullable === true : kind === 'one-to-one',
    cascade: {
      persist: cascade === undefined || (cascade !== false && cascade.includes('persist')),
      remove: cascade !== undefined && cascade !== false && cascade.includes('remove'),
    },
    orphanRemoval: declaration.orphanRemoval === true,
    ...(declaration.plain === true ? { plain: true } : {}),
    ...(onDelete === undefined ? {} : { onDelete }),
  };
  owner.model.relations.push(relation);
  return relation;
}

function foreignKey(
  owner: EntityDraft,
  target: EntityDraft,
  declaration: RelationDeclaration,
  problems: Problems,
): RelationModel['onDelete'] {
  const { onDelete } = declaration;
  if (onDelete === 'none') return undefined;
  const oneStore = owner.model.store === target.model.store;
  if (onDelete === undefined) {
    return oneStore && owner.model.model === 'relational' && target.model.model === 'relational'
      ? 'restrict'
      : undefined;
  }
  if (!oneStore) {
    problems.add(
      owner.name,
      declaration.name,
      `onDelete is kept by a store, but ${owner.name} lives in '${owner.model.store}' and ${target.name} in '${target.model.store}'. Use cascade: ['remove'] on the other side instead.`,
    );
  }
  if (onDelete === 'set null' && declaration.nullable !== true) {
    problems.add(owner.name, declaration.name, "onDelete 'set null' needs { nullable: true }.");
  }
  return onDelete;
}
