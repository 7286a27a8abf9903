/**
 * From entity classes to the frozen domain model: gather, make fields, keys, relations and indexes, check everything,
 * and report all mistakes at once. The only door between what users declare and what the rest of Storeweave reads.
 */
import { ConfigurationError } from '../errors/errors.js';
import { describeValue } from '../model/codec.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import type { AdoptedEntities } from '../store/adopted.js';
import { checkAudited } from './audited.js';
import { collectEntities, type Places } from './collect.js';
import type { RelationDeclaration } from './declarations.js';
import type { EntityDraft, FindTarget, PendingRelation } from './draft.js';
import { checkAnnotations, checkEntity, checkNames } from './entity-rules.js';
import { buildFields } from './fields.js';
import { deepFreeze, FrozenMap } from './freeze.js';
import { buildIndexes, linkKeys, referenceKeys } from './indexes.js';
import { Links } from './links.js';
import { Problems } from './problems.js';
import { References } from './references.js';
import { buildEndpoints, buildOtherRelations, buildOwnerRelations, type RelationContext } from './relations.js';

/**
 * Compiles and validates entity classes. Throws `MetadataError` with every mistake in them, each with its class, its
 * property and what to do. `adopted`: what stores know of classes with decorators of another library. `places`: where
 * classes live that leave it to the configuration.
 */
export function compileDomain(
  entities: readonly EntityClass[],
  adopted: AdoptedEntities = new Map(),
  places: Places = new Map(),
): DomainModel {
  const problems = new Problems();
  const drafts = collectEntities(entities, { adopted, places }, problems);
  for (const draft of drafts) buildFields(draft, problems);
  const find = targetFinder(drafts, problems);
  const references = new References(find, problems);
  for (const draft of drafts) references.resolve(draft);
  for (const draft of drafts) checkEntity(draft, problems);

  const links = new Links(drafts, problems);
  const context: RelationContext = { references, links, problems, keyProperties: [] };
  const pending = pendingRelations(drafts, find);
  buildOwnerRelations(pending, context);
  for (const draft of drafts) buildEndpoints(draft, problems);
  buildOtherRelations(pending, context);

  for (const draft of drafts) {
    const read = context.keyProperties.filter(({ entity }) => entity === draft).map(({ fields }) => fields);
    buildIndexes(draft, draft.model.kind === 'measurement' ? [] : [...referenceKeys(draft), ...read], problems);
    checkAnnotations(draft, problems);
    checkAudited(draft, problems);
  }
  for (const link of links.all) buildIndexes(link.entity, link.isAdopted ? [] : linkKeys(link), problems);
  const all = [...drafts, ...links.all.map((link) => link.entity)];
  checkNames(all, problems);
  problems.throwIfAny(all.map((draft) => draft.name));
  return freezeDomain(all);
}

/** Looks a relation's target up once; its mistakes are reported once, too. */
function targetFinder(drafts: readonly EntityDraft[], problems: Problems): FindTarget {
  const byClass = new Map<unknown, EntityDraft>(drafts.map((draft) => [draft.target, draft]));
  const found = new Map<EntityDraft, Map<RelationDeclaration, EntityDraft | undefined>>();
  return (owner, declaration) => {
    const known = found.get(owner) ?? new Map<RelationDeclaration, EntityDraft | undefined>();
    found.set(owner, known);
    if (known.has(declaration)) return known.get(declaration);
    const target = findTarget(owner, declaration, byClass, problems);
    known.set(declaration, target);
    if (target === undefined) owner.broken.add(declaration.name);
    return target;
  };
}

function findTarget(
  owner: EntityDraft,
  declaration: RelationDeclaration,
  byClass: ReadonlyMap<unknown, EntityDraft>,
  problems: Problems,
): EntityDraft | undefined {
  const say = (message: string) => problems.add(owner.name, declaration.name, message);
  let target: unknown;
  try {
    target = declaration.target();
  } catch (error) {
    say(
      `the target cannot be read: ${error instanceof Error ? error.message : String(error)}. Is its module part of a circular import?`,
    );
    return undefined;
  }
  if (target === undefined) {
    say(
      `the target of @${declaration.by} is undefined: its module is part of a circular import that had not run. Import the target from the file that defines it, and give it as a function: () => Target.`,
    );
  } else if (typeof target !== 'function') {
    say(
      `the target of @${declaration.by} is ${describeValue(target)}, not a class. Give a function that returns the class: () => Target.`,
    );
  } else {
    const draft = byClass.get(target);
    if (draft !== undefined) return draft;
    say(`leads to ${target.name}, which is not among the entities given to open(). Add ${target.name} to entities.`);
  }
  return undefined;
}

function pendingRelations(drafts: readonly EntityDraft[], find: FindTarget): PendingRelation[] {
  const pending: PendingRelation[] = [];
  for (const owner of drafts) {
    for (const declaration of owner.members.values()) {
      if (declaration.kind !== 'relation') continue;
      const target = find(owner, declaration);
      if (target !== undefined) pending.push({ owner, declaration, target });
    }
  }
  return pending;
}

function freezeDomain(drafts: readonly EntityDraft[]): DomainModel {
  for (const { model, members } of drafts) {
    const order = new Map([...members.keys()].map((name, at) => [name, at]));
    const position = (name: string | undefined) => (name === undefined ? 0 : (order.get(name) ?? 0));
    const ids = new Set<unknown>(model.ids);
    const rest = model.fields
      .filter((field) => !ids.has(field))
      .sort((a, b) => position(a.path[0]) - position(b.path[0]));
    model.fields = [...model.ids, ...rest];
    model.fields.forEach((field, index) => {
      field.index = index;
    });
    model.relations.sort((a, b) => position(a.name) - position(b.name));
    model.fieldsByName = new FrozenMap(model.fields.map((field) => [field.name, field]));
    model.relationsByName = new FrozenMap(model.relations.map((relation) => [relation.name, relation]));
    model.hooks = new FrozenMap(model.hooks);
    model.annotations = new FrozenMap(model.annotations);
  }
  const entities: readonly EntityModel[] = drafts.map((draft) => draft.model);
  const byClass = new Map<unknown, EntityModel>(entities.map((entity) => [entity.target, entity]));
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  const domain: DomainModel = {
    entities,
    of(target) {
      const entity = byClass.get(target);
      if (entity !== undefined) return entity;
      const name = typeof target === 'function' ? target.name : String(target);
      throw new ConfigurationError(
        `${name} is not an entity of this Storeweave. Add the class to entities in open().`,
        { entity: name },
      );
    },
    byName: (name) => byName.get(name),
  };
  deepFreeze(domain);
  return domain;
}
