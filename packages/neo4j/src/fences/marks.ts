/**
 * The fence as it stands on a node or relationship: three properties that no entity has and no typed read shows. They are
 * there only while a unit of work over several stores is being committed. A placeholder is what such a unit adds, a
 * reservation keeps a value of a unique constraint for it; neither is seen before its decision.
 */
import {
  ConfigurationError,
  type EntityModel,
  FencedError,
  type FenceOutcome,
  type FenceOwner,
} from '@storeweave/core';
import type { GraphNames, Shape } from '../names.js';
import type { Matched, Scope } from '../scope.js';

/** Unit of work; it has an index of its own. */
export const UNIT = '_f';
const COORDINATOR = '_fc';
const OPERATION = '_fo';

/** What is to become of a fenced row. `guard`: nothing. `reserve`: it goes, whatever is decided. */
export type FenceOp = 'insert' | 'update' | 'delete' | 'guard' | 'reserve';

/** A property of an entity that is called like a mark would be taken for one. */
export function refuseMarks(entities: readonly EntityModel[]): void {
  for (const entity of entities) {
    const field = entity.fields.find(({ column }) => [UNIT, COORDINATOR, OPERATION].includes(column));
    if (field === undefined) continue;
    throw new ConfigurationError(
      `${entity.name}.${field.name} is kept in the property "${field.column}", which Storeweave needs for commits over several stores. Give it another column.`,
      { entity: entity.name, property: field.name, store: entity.store },
    );
  }
}

/** True of what a typed read shows. */
export function shown(alias: string): string {
  return `NOT coalesce(${alias}.${OPERATION} IN ['insert', 'reserve'], false)`;
}

/** The same as a part of a condition; nothing where no unit of work fences this store's rows. */
export function visible(matched: Matched, scope: Scope): string[] {
  return scope.names.isFenced ? [shown(matched.self)] : [];
}

/** True of a row that is fenced with one of these operations. */
export function isFencedFor(alias: string, ops: readonly FenceOp[]): string {
  return `coalesce(${alias}.${OPERATION} IN [${ops.map((op) => `'${op}'`).join(', ')}], false)`;
}

/** Whose fence stands on what is matched: a list that `ownersIn` reads. */
export function ownerOf(alias: string): string {
  return `[${alias}.${UNIT}, ${alias}.${COORDINATOR}]`;
}

/** The owners of the fences on a row that is to be written, as a list; null where there are none. */
export function holdersOf(alias: string, { ends }: Pick<Shape, 'ends'>, isDelete: boolean, but?: string): string {
  const isOther = (each: string) =>
    but === undefined ? `${each}.${UNIT} IS NOT NULL` : `coalesce(${each}.${UNIT} <> ${but}, false)`;
  const own = `CASE WHEN ${isOther(alias)} THEN [${ownerOf(alias)}] END`;
  if (ends !== undefined || !isDelete) return own;
  // A node takes its relationships with it, and theirs are not ours to take.
  const attached = `[(${alias})-[held]-() WHERE ${isOther('held')} | ${ownerOf('held')}]`;
  return `CASE WHEN ${isOther(alias)} OR size(${attached}) > 0 THEN coalesce(${own}, []) + ${attached} END`;
}

/** Puts a fence on what is matched; `op` is an expression. */
export function markCypher(alias: string, owner: FenceOwner, op: string, scope: Scope): string {
  return Object.entries(marks(owner, op, scope))
    .map(([property, value]) => `${alias}.${property} = ${value}`)
    .join(', ');
}

/** The same for what is made with it. */
export function marks(owner: FenceOwner, op: string, scope: Scope): Record<string, string> {
  return {
    [UNIT]: scope.parameter(owner.unitOfWork),
    [COORDINATOR]: scope.parameter(owner.coordinator),
    [OPERATION]: op,
  };
}

export function unmarkCypher(alias: string): string {
  return `REMOVE ${[UNIT, COORDINATOR, OPERATION].map((property) => `${alias}.${property}`).join(', ')}`;
}

/** Owners in an answer, each once; `[null, null]` stands for nobody. */
export function ownersIn(answer: readonly unknown[]): FenceOwner[] {
  const owners = new Map<string, FenceOwner>();
  for (const each of answer as (readonly [string | null, string | null])[]) {
    const [unitOfWork, coordinator] = each;
    if (unitOfWork !== null) owners.set(unitOfWork, { unitOfWork, coordinator: coordinator ?? '' });
  }
  return [...owners.values()];
}

export function heldBy(entity: EntityModel, owners: FenceOutcome['held']): FencedError {
  return new FencedError(
    `Rows of ${entity.name} in store "${entity.store}" are held by other units of work (${owners.map(({ unitOfWork }) => unitOfWork).join(', ')}) that are being committed. Nothing of this call was kept; do it again.`,
    owners,
    { entity: entity.name, store: entity.store },
  );
}

/** Refuses a write that met fences; `answer` is a list of what `holdersOf` gave. */
export function refuseHeld(entity: EntityModel, answer: unknown): void {
  const owners = ownersIn((answer as unknown[][]).flat());
  if (owners.length > 0) throw heldBy(entity, owners);
}

/** Labels and relationship types of these entities, each once. */
export function shapesOf(entities: Iterable<EntityModel>, names: GraphNames): Shape[] {
  return [...new Set(entities)].map((entity) => names.shape(entity));
}
