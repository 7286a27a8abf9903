/**
 * Keys of owner-side relations: a field per id of the target, in its type. Made on demand, because the id of a
 * relationship without an `@Id` is the pair of its endpoints, whose ids must be known first.
 */
import type { Field } from '../model/field.js';
import type { RelationDeclaration } from './declarations.js';
import type { EntityDraft, FieldDraft, FindTarget } from './draft.js';
import { shorten, snakeCase } from './naming.js';
import type { Problems } from './problems.js';

/** What a key field of a reference is made of. */
export interface KeySpec {
  /** Name of the property, and of the field where the key is single. */
  readonly name: string;
  /** Column, or prefix of the columns of a composite key. */
  readonly column?: string;
  readonly nullable: boolean;
  readonly unique: boolean;
  readonly id: boolean;
}

/** Fields that hold the identity of `target` in another entity. */
export function keyFields(
  target: EntityDraft,
  spec: KeySpec,
  referred: readonly FieldDraft[] = target.model.ids,
): FieldDraft[] {
  const single = referred.length === 1;
  return referred.map((id) => {
    const { default: _default, generated: _generated, ...shape } = id;
    const path = single ? [spec.name] : [spec.name, ...id.path];
    const column =
      single && spec.column !== undefined ? spec.column : `${spec.column ?? snakeCase(spec.name)}_${id.column}`;
    return {
      ...shape,
      name: path.join('.'),
      path,
      column: shorten(column),
      index: -1,
      role: 'reference',
      nullable: spec.nullable,
      unique: single && spec.unique,
      id: spec.id,
    };
  });
}

/** True where the relation's key is in the owner's own row. */
export function ownsKey(declaration: RelationDeclaration): boolean {
  return (
    declaration.relation === 'many-to-one' ||
    (declaration.relation === 'one-to-one' && declaration.inverse === undefined)
  );
}

/** Sets the identity of a draft and the keys of its references, those of its targets first. */
export class References {
  readonly #keys = new Map<RelationDeclaration, Map<EntityDraft, readonly FieldDraft[]>>();

  constructor(
    private readonly find: FindTarget,
    private readonly problems: Problems,
  ) {}

  /** Key fields of an owner-side relation; empty where its target has no usable identity. */
  of(owner: EntityDraft, declaration: RelationDeclaration): readonly Field[] {
    return this.#keys.get(declaration)?.get(owner) ?? [];
  }

  resolve(draft: EntityDraft): void {
    if (draft.references !== 'todo') return;
    draft.references = 'doing';
    const byEndpoints = identityByEndpoints(draft);
    if (!byEndpoints) this.#setIds(draft, ownIds(draft));
    for (const member of draft.members.values()) {
      if (member.kind !== 'relation' || !ownsKey(member)) continue;
      const target = this.find(draft, member);
      if (target === undefined) continue;
      const fields = this.#make(draft, member, target, byEndpoints && member.endpoint !== undefined);
      const perOwner = this.#keys.get(member) ?? new Map<EntityDraft, readonly FieldDraft[]>();
      this.#keys.set(member, perOwner.set(draft, fields));
      for (const field of fields) if (!draft.model.fields.includes(field)) draft.model.fields.push(field);
    }
    if (byEndpoints)
      this.#setIds(
        draft,
        draft.model.fields.filter((field) => field.id),
      );
    draft.references = 'done';
  }

  #make(draft: EntityDraft, member: RelationDeclaration, target: EntityDraft, id: boolean): FieldDraft[] {
    // A reference to an entity whose own id is known already needs no more of it: circles are no trouble then.
    if (target.model.ids.length === 0) this.resolve(target);
    if (target.model.ids.length === 0) {
      if (target.references === 'doing') {
        this.problems.add(
          draft.name,
          member.name,
          `the identity of ${target.name} is its endpoints, and they lead back here. Give ${target.name} an @Id().`,
        );
      }
      return [];
    }
    if (target.model.kind === 'measurement') {
      this.problems.add(
        draft.name,
        member.name,
        `refers to ${target.name}, a measurement, whose points have no key to refer to. Use @Series(() => ${target.name}, m => m.…).`,
      );
      draft.broken.add(member.name);
      return [];
    }
    if (member.key !== undefined) return this.#adopt(draft, member, target, member.key);
    return keyFields(target, {
      name: member.name,
      ...(member.column === undefined ? {} : { column: member.column }),
      nullable: member.nullable === true && !id,
      unique: member.relation === 'one-to-one',
      id,
    });
  }

  /** The key of an adopted relation, which may be in columns that are properties as well. */
  #adopt(
    draft: EntityDraft,
    member: RelationDeclaration,
    target: EntityDraft,
    { columns, references }: NonNullable<RelationDeclaration['key']>,
  ): FieldDraft[] {
    const referred = references.flatMap((name) => target.model.fields.find((field) => field.name === name) ?? []);
    const own = columns.flatMap((name) => draft.model.fields.find((field) => field.column === name) ?? []);
    if (own.length === columns.length) return own;
    if (own.length > 0 || referred.length < references.length) {
      draft.broken.add(member.name);
      this.problems.add(
        draft.name,
        member.name,
        own.length > 0
          ? `has its key in ${columns.join(', ')}, and only ${own.map((field) => field.column).join(', ')} of them has a property. Give all of them one, or none.`
          : `refers to ${references.join(', ')} of ${target.name}, which has no such properties.`,
      );
      return [];
    }
    const fields = keyFields(
      target,
      { name: member.name, nullable: member.nullable === true, unique: false, id: false },
      referred,
    );
    for (const [at, field] of fields.entries()) field.column = columns[at] ?? field.column;
    return fields;
  }

  #setIds(draft: EntityDraft, ids: readonly FieldDraft[]): void {
    draft.model.ids = [...ids];
    for (const id of ids) {
      id.id = true;
      if (ids.length > 1 && id.generated === 'sequence') {
        this.problems.add(
          draft.name,
          id.name,
          'a sequence cannot be part of a composite id: the rest of the key would have to wait for the store. Make it the only @Id, or generate the value in the application.',
        );
      }
    }
  }
}

function ownIds(draft: EntityDraft): FieldDraft[] {
  const { fields, kind, timestamp } = draft.model;
  if (kind !== 'measurement') return fields.filter((field) => field.id);
  const tags = fields.filter((field) => field.role === 'tag');
  const time = fields.find((field) => field === timestamp);
  return time === undefined ? tags : [time, ...tags];
}

/** A relationship without an `@Id` is known by where it starts and ends. */
function identityByEndpoints(draft: EntityDraft): boolean {
  return draft.model.kind === 'relationship' && !draft.model.fields.some((field) => field.id);
}
