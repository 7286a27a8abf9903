/**
 * Which relationships a walk goes along. Users name them as they know them: by relation of the entity, by relationship
 * type, or by relationship class; all of it becomes steps of one graph store.
 */
import { CapabilityError, InvalidQueryError } from '../errors/errors.js';
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import { describe } from '../query/comparand.js';
import { isTrue } from '../query/logic.js';
import { nearest } from '../query/members.js';
import { settle } from '../query/semi-join.js';
import { compileWhere } from '../query/where.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { GraphStore, StepSpec } from '../store/graph.js';

export type Direction = 'out' | 'in' | 'both';

export interface Steps {
  readonly steps: readonly StepSpec[];
  readonly graph: GraphStore;
  /** Any of the relationships, to ask for access to their store. */
  readonly relationship: EntityModel;
}

type Step = Pick<StepSpec, 'relationship' | 'direction'>;

/** The steps of a walk that starts at entities of `entity`. Throws `InvalidQueryError`. */
export async function planSteps(
  work: WorkContext,
  entity: EntityModel,
  options: { readonly via?: unknown; readonly direction?: unknown; readonly where?: unknown },
  call: CallOptions,
): Promise<Steps> {
  const { via, direction, where } = options;
  if (direction !== undefined && direction !== 'out' && direction !== 'in' && direction !== 'both') {
    throw refuse(entity, `direction is 'out', 'in' or 'both', and this is ${describe(direction)}`);
  }
  const names = via === undefined ? [] : Array.isArray(via) ? via : [via];
  const found =
    names.length === 0 ? allOf(work, entity, direction) : names.flatMap((name) => named(work, entity, name, direction));
  const [first] = found;
  if (first === undefined) {
    throw refuse(
      entity,
      `no relationship of the graph starts or ends at ${entity.name}. Declare one with @Related or @Relationship`,
    );
  }
  const other = found.find((step) => step.relationship.store !== first.relationship.store);
  if (other !== undefined) {
    throw refuse(
      entity,
      `"${first.relationship.source}" lives in store "${first.relationship.store}" and "${other.relationship.source}" in "${other.relationship.store}"; one walk stays in one store`,
    );
  }
  const steps: StepSpec[] = [];
  for (const step of merged(found)) {
    const condition = await settle(work, step.relationship, compileWhere(step.relationship, where), call);
    steps.push(isTrue(condition) ? step : { ...step, where: condition });
  }
  return { steps, graph: graphOf(work, first.relationship), relationship: first.relationship };
}

function named(work: WorkContext, entity: EntityModel, name: unknown, direction: Direction | undefined): Step[] {
  if (typeof name === 'function') {
    const relationship = work.domain.of(name as EntityClass);
    if (relationship.endpoints !== undefined) return [{ relationship, direction: direction ?? 'out' }];
    throw refuse(
      entity,
      `${relationship.name} is no relationship; name a class with @Relationship, a relationship type or a relation`,
    );
  }
  if (typeof name !== 'string')
    throw refuse(entity, `via takes relations, relationship types or classes, and was given ${describe(name)}`);
  const relation = entity.relationsByName.get(name);
  if (relation !== undefined) {
    const { join } = relation;
    if (join.via === 'link' && join.link.endpoints !== undefined) {
      return [{ relationship: join.link, direction: direction ?? join.direction }];
    }
    throw refuse(entity, `${name} is kept by keys and not in the graph, so no walk goes along it; populate it instead`);
  }
  const relationships = work.domain.entities.filter((one) => one.endpoints !== undefined);
  const typed = relationships.filter((one) => one.source === name);
  if (typed.length > 0) return typed.map((relationship) => ({ relationship, direction: direction ?? 'out' }));
  const known = [...new Set([...relationships.map((one) => one.source), ...linked(entity)])];
  const near = nearest(name, known);
  throw refuse(
    entity,
    `"${name}" is neither a relation of ${entity.name} nor a relationship type. ${near === undefined ? `Known are ${known.join(', ')}` : `Did you mean "${near}"?`}`,
  );
}

function linked(entity: EntityModel): string[] {
  return entity.relations
    .filter(({ join }) => join.via === 'link' && join.link.endpoints !== undefined)
    .map(({ name }) => name);
}

function allOf(work: WorkContext, entity: EntityModel, direction: Direction | undefined): Step[] {
  return work.domain.entities
    .filter(({ endpoints }) => endpoints?.from.entity === entity || endpoints?.to.entity === entity)
    .map((relationship) => ({ relationship, direction: direction ?? 'both' }));
}

/** One step per relationship: two directions of one are both. */
function merged(steps: readonly Step[]): Step[] {
  const byRelationship = new Map<EntityModel, Direction>();
  for (const { relationship, direction } of steps) {
    const known = byRelationship.get(relationship);
    byRelationship.set(relationship, known === undefined || known === direction ? direction : 'both');
  }
  return [...byRelationship].map(([relationship, direction]) => ({ relationship, direction }));
}

function graphOf(work: WorkContext, relationship: EntityModel): GraphStore {
  const store = work.store(relationship);
  if (store.graph !== undefined) return store.graph;
  throw new CapabilityError(
    `Walking along ${relationship.source} needs a graph store, and store "${relationship.store}" (${store.domain.name}) walks none. Bind "${relationship.store}" to one that does.`,
    { entity: relationship.name, store: relationship.store },
  );
}

function refuse(entity: EntityModel, problem: string): InvalidQueryError {
  return new InvalidQueryError(`${entity.name}: ${problem}.`, { entity: entity.name });
}
