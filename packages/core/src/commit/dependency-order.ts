/**
 * Orders new rows so that what is referred to is there before what refers to it, in as few batches as can be: whole
 * classes at a time. Where classes refer to each other in a circle, a nullable reference is written as null first and
 * set by an update afterwards; only where none is nullable are rows ordered one by one.
 */
import { InvalidStateError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { type InsertChange, isResolved, type ParentLink } from './change.js';

/** New rows in the order to write them. */
export interface InsertOrder {
  /** Each is written together; all of one class. */
  readonly batches: readonly (readonly InsertChange[])[];
  /** References to be written as null first and set when everything is there. */
  readonly deferred: ReadonlyMap<InsertChange, readonly ParentLink[]>;
}

/** All references from new rows of one class to new rows of another (or the same). */
interface Edge {
  readonly child: EntityModel;
  readonly parent: EntityModel;
  readonly uses: { readonly change: InsertChange; readonly link: ParentLink }[];
}

export function orderInserts(changes: readonly InsertChange[]): InsertOrder {
  const byEntity = groupByEntity(changes);
  const edges = edgesOf(changes);
  const deferred = new Map<InsertChange, ParentLink[]>();
  const defer = (edge: Edge) => {
    edges.delete(edge);
    if (!matters(edge)) return;
    for (const { change, link } of edge.uses) {
      const links = deferred.get(change);
      if (links === undefined) deferred.set(change, [link]);
      else links.push(link);
    }
  };

  const stuck = new Set<EntityModel>();
  for (const edge of [...edges]) {
    if (edge.child !== edge.parent) continue;
    const known = edge.uses.every(({ link }) => isResolved(link));
    const ordered = known ? parentsFirst(byEntity.get(edge.child) ?? []) : undefined;
    if (ordered !== undefined) {
      byEntity.set(edge.child, ordered);
      edges.delete(edge);
    } else if (isNullable(edge)) defer(edge);
    else stuck.add(edge.child);
  }
  for (let circle = findCircle(edges); circle !== undefined; circle = findCircle(edges, stuck)) {
    const weakest = circle.find((edge) => !matters(edge)) ?? circle.find(isNullable);
    if (weakest !== undefined) defer(weakest);
    else for (const edge of circle) stuck.add(edge.child).add(edge.parent);
  }

  const batches: InsertChange[][] = [];
  const done = new Set<EntityModel>();
  const waiting = [...byEntity.keys()];
  while (waiting.length > 0) {
    const ready = waiting.find((entity) =>
      [...edges].every(
        (edge) => edge.child !== entity || done.has(edge.parent) || together(entity, edge.parent, stuck),
      ),
    );
    const next = ready ?? waiting[0];
    if (next === undefined) break;
    const group = stuck.has(next) ? waiting.filter((entity) => stuck.has(entity)) : [next];
    if (stuck.has(next)) batches.push(...oneByOne(group.flatMap((entity) => byEntity.get(entity) ?? [])));
    else batches.push(byEntity.get(next) ?? []);
    for (const entity of group) {
      done.add(entity);
      waiting.splice(waiting.indexOf(entity), 1);
    }
  }
  return { batches, deferred };
}

function together(a: EntityModel, b: EntityModel, stuck: ReadonlySet<EntityModel>): boolean {
  return stuck.has(a) && stuck.has(b);
}

function groupByEntity(changes: readonly InsertChange[]): Map<EntityModel, InsertChange[]> {
  const groups = new Map<EntityModel, InsertChange[]>();
  for (const change of changes) {
    const group = groups.get(change.entity);
    if (group === undefined) groups.set(change.entity, [change]);
    else group.push(change);
  }
  return groups;
}

function edgesOf(changes: readonly InsertChange[]): Set<Edge> {
  const found = new Map<EntityModel, Map<EntityModel, Edge[]>>();
  const edges = new Set<Edge>();
  for (const change of changes) {
    for (const link of change.parents) {
      const parents = getOrMake(found, change.entity, () => new Map<EntityModel, Edge[]>());
      const between = getOrMake(parents, link.parent.entity, () => []);
      // One edge for each reference, since only some of them may be nullable.
      let edge = between.find((other) => other.uses[0]?.link.fields === link.fields);
      if (edge === undefined) {
        edge = { child: change.entity, parent: link.parent.entity, uses: [] };
        between.push(edge);
        edges.add(edge);
      }
      edge.uses.push({ change, link });
    }
  }
  return edges;
}

/** Between stores nothing checks a reference, so order matters only where the key is made by the insert. */
function matters(edge: Edge): boolean {
  return edge.child.store === edge.parent.store || edge.uses.some(({ link }) => !isResolved(link));
}

function isNullable(edge: Edge): boolean {
  return edge.uses[0]?.link.fields.every((field) => field.nullable && !field.id) ?? false;
}

/** Edges that lead from a class back to itself; classes that are to be ordered row by row are passed over. */
function findCircle(edges: ReadonlySet<Edge>, passed: ReadonlySet<EntityModel> = new Set()): Edge[] | undefined {
  const finished = new Set<EntityModel>();
  const path: Edge[] = [];
  const visit = (entity: EntityModel, open: readonly EntityModel[]): Edge[] | undefined => {
    for (const edge of edges) {
      if (edge.child !== entity || edge.parent === entity || together(entity, edge.parent, passed)) continue;
      const start = open.indexOf(edge.parent);
      path.push(edge);
      if (start >= 0) return path.slice(start);
      if (!finished.has(edge.parent)) {
        const circle = visit(edge.parent, [...open, edge.parent]);
        if (circle !== undefined) return circle;
      }
      path.pop();
    }
    finished.add(entity);
    return undefined;
  };
  for (const { child } of edges) {
    if (finished.has(child)) continue;
    path.length = 0;
    const circle = visit(child, [child]);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** Rows of one class with those referred to first; undefined if they refer to each other in a circle. */
function parentsFirst(changes: readonly InsertChange[]): InsertChange[] | undefined {
  const levels = depths(changes);
  return levels === undefined ? undefined : changes.toSorted((a, b) => (levels.get(a) ?? 0) - (levels.get(b) ?? 0));
}

/** Batches by depth, for rows that no nullable reference sets free. */
function oneByOne(changes: readonly InsertChange[]): InsertChange[][] {
  const levels = depths(changes);
  if (levels === undefined) {
    const names = [...new Set(changes.map((change) => change.entity.name))];
    const references = new Set(
      changes.flatMap((change) => change.parents.map((link) => `${change.entity.name}.${link.fields[0]?.path[0]}`)),
    );
    throw new InvalidStateError(
      `New entities of ${names.join(', ')} refer to each other in a circle through required references (${[...references].join(', ')}), so none can be written first. Declare one of them nullable.`,
      { entity: names[0] },
    );
  }
  const batches: InsertChange[][] = [];
  for (const change of changes) {
    const level = levels.get(change) ?? 0;
    batches[level] ??= [];
    batches[level].push(change);
  }
  return batches.flatMap((batch) => [...groupByEntity(batch).values()]);
}

/** Longest way to a row without new parents among these; undefined if there is a circle. */
function depths(changes: readonly InsertChange[]): Map<InsertChange, number> | undefined {
  const among = new Set(changes);
  const children = new Map<InsertChange, InsertChange[]>();
  const open = new Map<InsertChange, number>();
  for (const change of changes) {
    const parents = change.parents.filter((link) => among.has(link.parent));
    open.set(change, parents.length);
    for (const { parent } of parents) {
      const list = children.get(parent);
      if (list === undefined) children.set(parent, [change]);
      else list.push(change);
    }
  }
  const levels = new Map<InsertChange, number>();
  let level = changes.filter((change) => open.get(change) === 0);
  for (let depth = 0; level.length > 0; depth++) {
    const next: InsertChange[] = [];
    for (const change of level) {
      levels.set(change, depth);
      for (const child of children.get(change) ?? []) {
        const left = (open.get(child) ?? 0) - 1;
        open.set(child, left);
        if (left === 0) next.push(child);
      }
    }
    level = next;
  }
  return levels.size === changes.length ? levels : undefined;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
