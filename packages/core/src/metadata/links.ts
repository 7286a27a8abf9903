/**
 * Hidden entities behind many-to-many and related relations. A link is an entity like any other to the stores: two
 * references that together are its identity.
 */
import type { DataModel, EntityClass } from '../model/entity-model.js';
import type { AdoptedLink } from '../store/adopted.js';
import type { RelationDeclaration } from './declarations.js';
import type { EntityDraft, FieldDraft, RelationDraft } from './draft.js';
import { shorten, snakeCase, upperSnakeCase } from './naming.js';
import type { Problems } from './problems.js';
import { keyFields } from './references.js';

/** A link and its two keys. For an `in` relation the owner is the `to` end. */
export interface Link {
  readonly entity: EntityDraft;
  readonly from: EntityDraft;
  readonly to: EntityDraft;
  readonly fromFields: readonly FieldDraft[];
  readonly toFields: readonly FieldDraft[];
  /** Its table was made by another library, with names and indexes of its own. */
  readonly isAdopted?: boolean;
}

export class Links {
  readonly #links = new Map<string, Link>();

  constructor(
    private readonly entities: readonly EntityDraft[],
    private readonly problems: Problems,
  ) {}

  get all(): readonly Link[] {
    return [...this.#links.values()];
  }

  /** The link of a many-to-many, declared by its owning side. */
  manyToMany(owner: EntityDraft, declaration: RelationDeclaration, target: EntityDraft): Link {
    const graph = owner.model.model === 'graph';
    const fallback = `${snakeCase(owner.name)}_${snakeCase(declaration.name)}`;
    const { link } = declaration;
    if (link !== undefined) {
      return this.#make(`${owner.name}.${declaration.name}`, {
        model: owner.model.model,
        store: owner.model.store,
        source: link.table,
        ...(link.namespace === undefined ? {} : { namespace: link.namespace }),
        from: owner,
        to: target,
        names: ['owner', 'target'],
        columns: ['owner', 'target'],
        adopted: link,
      });
    }
    return this.#make(`${owner.name}.${declaration.name}`, {
      model: owner.model.model,
      store: owner.model.store,
      source: shorten(declaration.table ?? (graph ? upperSnakeCase(fallback) : fallback)),
      ...(owner.model.namespace === undefined ? {} : { namespace: owner.model.namespace }),
      from: owner,
      to: target,
      names: ['owner', 'target'],
      columns: linkColumns(owner, target),
    });
  }

  /** The link of a related relation, shared by all that name the same type between the same entities. */
  related(owner: EntityDraft, declaration: RelationDeclaration, target: EntityDraft): Link {
    const [from, to] = declaration.direction === 'in' ? [target, owner] : [owner, target];
    const type = shorten(declaration.type ?? upperSnakeCase(declaration.name));
    const store = declaration.store ?? 'graph';
    const declared = this.#relationship(type, store, from, to);
    if (declared !== undefined) return declared;
    const taken = this.all.find(
      (l) => l.entity.model.store === store && l.entity.model.source === type && l.entity.model.kind === 'link',
    );
    if (taken !== undefined && (taken.from !== from || taken.to !== to)) {
      this.problems.add(
        owner.name,
        declaration.name,
        `the relationship type '${type}' already leads from ${taken.from.name} to ${taken.to.name} (${taken.entity.name}), and here it would lead from ${from.name} to ${to.name}. Give it a type of its own.`,
      );
      return taken;
    }
    return this.#make(`${from.name}-[${type}]->${to.name}@${store}`, {
      model: 'graph',
      store,
      source: type,
      from,
      to,
      names: ['from', 'to'],
      columns: ['from', 'to'],
      name: `${owner.name}.${declaration.name}`,
    });
  }

  #relationship(type: string, store: string, from: EntityDraft, to: EntityDraft): Link | undefined {
    for (const entity of this.entities) {
      const { kind, source, endpoints } = entity.model;
      if (kind !== 'relationship' || source !== type || entity.model.store !== store || endpoints === undefined)
        continue;
      if (endpoints.from.entity !== from.model || endpoints.to.entity !== to.model) continue;
      return {
        entity,
        from,
        to,
        fromFields: endpoints.from.fields as FieldDraft[],
        toFields: endpoints.to.fields as FieldDraft[],
      };
    }
    return undefined;
  }

  #make(key: string, spec: LinkSpec): Link {
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = makeLink(spec.name ?? key, spec);
    this.#links.set(key, link);
    return link;
  }
}

interface LinkSpec {
  readonly model: DataModel;
  readonly store: string;
  readonly source: string;
  readonly namespace?: string;
  readonly from: EntityDraft;
  readonly to: EntityDraft;
  /** Names of the two references. */
  readonly names: readonly [string, string];
  readonly columns: readonly [string, string];
  readonly name?: string;
  readonly adopted?: AdoptedLink;
}

function makeLink(name: string, spec: LinkSpec): Link {
  const key = (target: EntityDraft, end: 0 | 1): FieldDraft[] => {
    const single = target.model.ids.length === 1;
    return keyFields(target, {
      name: spec.names[end],
      column: single ? `${spec.columns[end]}_${target.model.ids[0]?.column}` : spec.columns[end],
      nullable: false,
      unique: false,
      id: true,
    });
  };
  const fromFields = key(spec.from, 0);
  const toFields = key(spec.to, 1);
  for (const [at, field] of fromFields.entries()) field.column = spec.adopted?.ownerColumns[at] ?? field.column;
  for (const [at, field] of toFields.entries()) field.column = spec.adopted?.targetColumns[at] ?? field.column;
  const target = linkClass(name);
  const fields = [...fromFields, ...toFields];
  const entity: EntityDraft = {
    name,
    target,
    declaration: { by: 'link', model: spec.model, kind: 'link' },
    members: new Map(),
    indexes: [],
    annotations: [],
    references: 'done',
    broken: new Set(),
    model: {
      name,
      target,
      model: spec.model,
      kind: 'link',
      store: spec.store,
      source: spec.source,
      ...(spec.namespace === undefined ? {} : { namespace: spec.namespace }),
      fields,
      fieldsByName: new Map(),
      ids: [...fields],
      embeddeds: [],
      relations: [],
      relationsByName: new Map(),
      indexes: [],
      endpoints: {
        from: { entity: spec.from.model, fields: fromFields },
        to: { entity: spec.to.model, fields: toFields },
      },
      hooks: new Map(),
      annotations: new Map(),
    },
  };
  if (spec.model !== 'graph') delete entity.model.endpoints;
  entity.model.relations = [
    linkReference(entity, spec.names[0], spec.from, fromFields),
    linkReference(entity, spec.names[1], spec.to, toFields),
  ];
  return { entity, from: spec.from, to: spec.to, fromFields, toFields, isAdopted: spec.adopted !== undefined };
}

/** Ends of a link are relations of it, so that writes are ordered and constraints made as for any other reference. */
function linkReference(
  link: EntityDraft,
  name: string,
  target: EntityDraft,
  fields: readonly FieldDraft[],
): RelationDraft {
  const sameTables =
    link.model.model === 'relational' && target.model.model === 'relational' && link.model.store === target.model.store;
  return {
    name,
    kind: 'many-to-one',
    container: 'ref',
    owner: link.model,
    target: target.model,
    join: { via: 'owner', fields, targetFields: target.model.ids },
    nullable: false,
    cascade: { persist: false, remove: false },
    orphanRemoval: false,
    ...(sameTables ? { onDelete: 'cascade' as const } : {}),
  };
}

function linkColumns(owner: EntityDraft, target: EntityDraft): [string, string] {
  return owner === target ? ['source', 'target'] : [snakeCase(owner.name), snakeCase(target.name)];
}

function linkClass(name: string): EntityClass {
  const link = class {};
  Object.defineProperty(link, 'name', { value: name });
  return link;
}
