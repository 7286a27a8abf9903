/** Gathers the declarations of each class and its base classes into one draft per entity. */
import type { EntityClass, LifecycleEvent } from '../model/entity-model.js';
import type { AdoptedEntities, AdoptedEntity } from '../store/adopted.js';
import { adoptedDeclarations } from './adopted.js';
import {
  type AnnotationDeclaration,
  type ClassDeclarations,
  type IndexDeclaration,
  type KnownDeclaration,
  type LazyDeclaration,
  type ModelDeclaration,
  orphans,
  readDeclarations,
} from './declarations.js';
import type { EntityDraft } from './draft.js';
import { plural, shorten, snakeCase, upperSnakeCase } from './naming.js';
import type { Problems } from './problems.js';

/** Words that mean something in a filter. */
const RESERVED = new Set(['and', 'or', 'not']);

/** Where classes live whose own declarations leave it to the configuration. */
export type Places = ReadonlyMap<EntityClass, Pick<ModelDeclaration, 'model' | 'kind' | 'store'>>;

/** What is known of classes beside their declarations. */
interface Beside {
  readonly adopted: AdoptedEntities;
  readonly places: Places;
}

/** One draft per class that has a model decorator; mistakes are noted, and the rest goes on. */
export function collectEntities(entities: readonly EntityClass[], beside: Beside, problems: Problems): EntityDraft[] {
  const drafts: EntityDraft[] = [];
  const seen = new Set<unknown>();
  entities.forEach((target: unknown, at) => {
    if (typeof target !== 'function') {
      problems.add(
        `entities[${at}]`,
        undefined,
        target === undefined
          ? 'is undefined: its module is part of a circular import that had not run yet. Import the entity from the file that defines it.'
          : `is not a class but a ${typeof target}. List the entity classes themselves.`,
      );
      return;
    }
    if (seen.has(target)) return;
    seen.add(target);
    const type = target as unknown as EntityClass;
    const draft = collectEntity(type, beside, problems);
    if (draft !== undefined) drafts.push(draft);
  });
  reportDuplicateNames(drafts, problems);
  if (orphans.length > 0) {
    problems.add(
      'Decorators',
      undefined,
      `the compiler gave no metadata object to the decorators of: ${orphans.join(', ')}. Import @storeweave/core before anything that replaces Symbol.metadata, or compile with TypeScript 5.2 or later.`,
    );
  }
  return drafts;
}

/** A class with its base classes, base first, and what each declares. */
export function lineageOf(target: EntityClass): ClassDeclarations[] {
  const chain: ClassDeclarations[] = [];
  for (
    let type: unknown = target;
    typeof type === 'function' && type !== Function.prototype;
    type = Object.getPrototypeOf(type)
  ) {
    const declared = readDeclarations(type);
    if (declared !== undefined) chain.unshift(declared);
  }
  return chain;
}

/** Logical store of a class; undefined where it does not say, which is reported when the model is compiled. */
export function placeOf(target: EntityClass): string | undefined {
  if (typeof target !== 'function') return undefined;
  const [model] = readDeclarations(target)?.models ?? [];
  return model === undefined ? undefined : (model.store ?? model.model);
}

/** Properties of a class and its base classes by name, for entities and embedded classes alike. */
export function membersOf(target: EntityClass, name: string, problems: Problems): Map<string, KnownDeclaration> {
  return membersIn(lineageOf(target), name, problems);
}

function membersIn(
  lineage: readonly ClassDeclarations[],
  name: string,
  problems: Problems,
): Map<string, KnownDeclaration> {
  const members = new Map<string, KnownDeclaration>();
  for (const declared of lineage) {
    const own = new Set<string>();
    for (const member of declared.members) {
      if (own.has(member.name)) {
        const other = members.get(member.name);
        problems.add(name, member.name, `is declared twice, by @${other?.by} and @${member.by}. Keep one of them.`);
        continue;
      }
      own.add(member.name);
      if (RESERVED.has(member.name)) {
        problems.add(
          name,
          member.name,
          `'${member.name}' is a word of the filter language. Rename the property; { column: '${member.name}' } keeps the name in the store.`,
        );
      }
      const known = member.kind === 'lazy' ? resolveLazy(member, name, problems) : member;
      if (known !== undefined) members.set(member.name, known);
    }
    for (const mistake of declared.mistakes) problems.add(name, mistake.property, mistake.message);
  }
  return members;
}

function resolveLazy(member: LazyDeclaration, entity: string, problems: Problems): KnownDeclaration | undefined {
  try {
    const built = member.make();
    const declaration: unknown =
      typeof built === 'object' && built !== null && 'declaration' in built ? built.declaration : undefined;
    if (typeof declaration === 'object' && declaration !== null) {
      return { ...(declaration as KnownDeclaration), name: member.name };
    }
    problems.add(
      entity,
      member.name,
      'is a function that gives no property. Return a builder: () => p.manyToOne(User).',
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.add(
      entity,
      member.name,
      `cannot be read: ${reason}. Is the module of its target part of a circular import?`,
    );
  }
  return undefined;
}

function collectEntity(target: EntityClass, beside: Beside, problems: Problems): EntityDraft | undefined {
  const own = lineageOf(target);
  const adopted = beside.adopted.get(target);
  const chosen = modelDeclaration(target, own, problems);
  if (chosen === undefined) return undefined;
  const found = { ...chosen, ...beside.places.get(target) };
  const name = found.name ?? target.name;
  // What the class says in our own words comes later, and holds.
  const lineage = adopted === undefined ? own : [adoptedDeclarations(adopted, own), ...own];
  const declaration = adopted === undefined ? found : placedAs(found, adopted, name, problems);
  const hooks = new Map<LifecycleEvent, string[]>();
  const indexes: IndexDeclaration[] = [];
  const annotations = new Map<string, AnnotationDeclaration>();
  for (const declared of lineage) {
    for (const { event, method } of declared.hooks) {
      const methods = hooks.get(event) ?? [];
      if (!methods.includes(method)) methods.push(method);
      hooks.set(event, methods);
    }
    indexes.push(...declared.indexes);
    for (const annotation of declared.annotations) annotations.set(annotation.key, annotation);
  }
  const { model, kind, store = model } = declaration;
  return {
    name,
    target,
    declaration,
    ...(adopted?.part === true ? { part: true } : {}),
    members: membersIn(lineage, name, problems),
    indexes,
    annotations: [...annotations.values()],
    references: 'todo',
    broken: new Set(),
    model: {
      name,
      target,
      model,
      kind,
      store,
      source: declaration.source ?? defaultSource(name, declaration),
      ...(declaration.namespace === undefined ? {} : { namespace: declaration.namespace }),
      fields: [],
      fieldsByName: new Map(),
      ids: [],
      embeddeds: [],
      relations: [],
      relationsByName: new Map(),
      indexes: [],
      hooks,
      annotations: new Map(),
    },
  };
}

/** An adopted class stays in its table. */
function placedAs(
  declaration: ModelDeclaration,
  { source, namespace }: AdoptedEntity,
  name: string,
  problems: Problems,
): ModelDeclaration {
  for (const [asked, is] of [
    [declaration.source, source],
    [declaration.namespace, namespace],
  ]) {
    if (asked === undefined || asked === is) continue;
    problems.add(
      name,
      undefined,
      `is kept in '${is ?? 'the default schema'}' by its own decorators, and @${declaration.by} says '${asked}'. Take the name out of @${declaration.by}, or change both.`,
    );
  }
  return { ...declaration, source, ...(namespace === undefined ? {} : { namespace }) };
}

function modelDeclaration(
  target: EntityClass,
  lineage: readonly ClassDeclarations[],
  problems: Problems,
): ModelDeclaration | undefined {
  const own = readDeclarations(target)?.models ?? [];
  const models =
    own.length > 0 ? own : (lineage.findLast((declared) => declared.models[0]?.inherited === true)?.models ?? []);
  const [first, second] = models;
  if (first !== undefined && second !== undefined) {
    const names = models.map((model) => `@${model.by}${model.store === undefined ? '' : ` in store '${model.store}'`}`);
    problems.add(
      target.name,
      undefined,
      `has ${models.length} models: ${names.join(' and ')}. A class lives in one store; keep one of them, and relate two classes where two stores are meant.`,
    );
  }
  if (first === undefined) {
    const base = lineage.some((declared) => declared.models.length > 0);
    problems.add(
      target.name,
      undefined,
      `has no model decorator${base ? ' of its own (a base class has one, but each entity says where it lives)' : ''}. Add @Relational(), @Document(), @Node(), @Relationship() or @Measurement(), or take it out of entities.`,
    );
  }
  return first;
}

function defaultSource(name: string, declaration: ModelDeclaration): string {
  switch (declaration.kind) {
    case 'node':
      return name;
    case 'relationship':
      return shorten(upperSnakeCase(name));
    case 'measurement':
      return shorten(snakeCase(name));
    default:
      return shorten(plural(snakeCase(name)));
  }
}

function reportDuplicateNames(drafts: readonly EntityDraft[], problems: Problems): void {
  const names = new Set<string>();
  for (const { name } of drafts) {
    if (names.has(name)) {
      problems.add(
        name,
        undefined,
        `two entities are called '${name}'. Names appear in cursors, plans and messages and must differ; rename one class (its { table }, { collection } … keeps the name in the store).`,
      );
    }
    names.add(name);
  }
}
