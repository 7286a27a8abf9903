/** Walks over the relationships of the memory store: breadth first, so that least depths and shortest paths come first. */
import {
  type EntityModel,
  type Field,
  InvalidQueryError,
  type PathRow,
  type Row,
  rowKey,
  type ShortestPathSpec,
  type StepSpec,
  type TraverseSpec,
  type Vertex,
} from '@storeweave/core';
import { predicate, type View } from './condition.js';
import { identityOf } from './tables.js';
import { cell, copy, type Stored } from './values.js';

interface Hop {
  readonly to: Vertex;
  readonly edge: Vertex;
}

type Hops = ReadonlyMap<string, readonly Hop[]>;

export function traverse(spec: TraverseSpec, view: View): PathRow[] {
  const hops = index(spec.steps, view);
  const passes = vertexTest(spec.vertices, view);
  const limit = spec.limit ?? Number.POSITIVE_INFINITY;
  const found: PathRow[] = [];
  for (const [start, key] of spec.keys.entries()) {
    const origin: Vertex = { entity: spec.from.name, key };
    const seen = new Set([nameOf(origin)]);
    let frontier: PathRow[] = [{ start, depth: 0, vertices: [origin], edges: [] }];
    for (let depth = 1; depth <= spec.maxDepth && frontier.length > 0; depth++) {
      const next: PathRow[] = [];
      for (const path of frontier) {
        for (const hop of hops.get(nameOf(lastOf(path))) ?? []) {
          const name = nameOf(hop.to);
          const isRepeated =
            spec.unique === 'vertices' ? seen.has(name) : path.vertices.some((vertex) => nameOf(vertex) === name);
          if (isRepeated || !passes(hop.to)) continue;
          seen.add(name);
          next.push(extended(path, hop));
        }
      }
      if (depth >= spec.minDepth) found.push(...next);
      frontier = next;
    }
    if (found.length >= limit) break;
  }
  return found.slice(0, limit).map(owned);
}

export function shortestPath(spec: ShortestPathSpec, view: View): PathRow | undefined {
  const origin: PathRow = { start: 0, depth: 0, vertices: [spec.from], edges: [] };
  const goal = nameOf(spec.to);
  if (nameOf(spec.from) === goal) return owned(origin);
  const hops = index(spec.steps, view);
  const seen = new Set([nameOf(spec.from)]);
  let frontier = [origin];
  for (let depth = 1; depth <= spec.maxDepth && frontier.length > 0; depth++) {
    const next: PathRow[] = [];
    for (const path of frontier) {
      for (const hop of hops.get(nameOf(lastOf(path))) ?? []) {
        const name = nameOf(hop.to);
        if (seen.has(name)) continue;
        seen.add(name);
        const longer = extended(path, hop);
        if (name === goal) return owned(longer);
        next.push(longer);
      }
    }
    frontier = next;
  }
  return undefined;
}

function index(steps: readonly StepSpec[], view: View): Hops {
  const hops = new Map<string, Hop[]>();
  const enter = (from: Vertex, hop: Hop) => {
    const name = nameOf(from);
    const list = hops.get(name);
    if (list === undefined) hops.set(name, [hop]);
    else list.push(hop);
  };
  for (const { relationship, direction, where } of steps) {
    const { endpoints } = relationship;
    if (endpoints === undefined)
      throw new InvalidQueryError(`${relationship.name} has no endpoints, so no step goes along it.`, {
        entity: relationship.name,
      });
    const matches = where === undefined ? undefined : predicate(where, view);
    for (const row of view.rows(relationship)) {
      if (matches !== undefined && !matches(row)) continue;
      const edge = vertex(relationship, relationship.ids, row);
      const from = vertex(endpoints.from.entity, endpoints.from.fields, row);
      const to = vertex(endpoints.to.entity, endpoints.to.fields, row);
      if (direction !== 'in') enter(from, { to, edge });
      if (direction !== 'out') enter(to, { to: from, edge });
    }
  }
  return hops;
}

function vertexTest(vertices: TraverseSpec['vertices'], view: View): (vertex: Vertex) => boolean {
  if (vertices === undefined) return () => true;
  const matches = predicate(vertices.where, view);
  const passing = new Set<string>();
  for (const row of view.rows(vertices.entity)) if (matches(row)) passing.add(identityOf(vertices.entity, row));
  return (vertex) => vertex.entity !== vertices.entity.name || passing.has(rowKey(vertex.key));
}

function vertex(entity: EntityModel, fields: readonly Field[], row: Stored): Vertex {
  return { entity: entity.name, key: fields.map((field) => cell(row, field)) };
}

function nameOf(vertex: Vertex): string {
  return `${vertex.entity} ${rowKey(vertex.key)}`;
}

function lastOf(path: PathRow): Vertex {
  return path.vertices[path.vertices.length - 1] as Vertex;
}

function extended(path: PathRow, hop: Hop): PathRow {
  return {
    start: path.start,
    depth: path.depth + 1,
    vertices: [...path.vertices, hop.to],
    edges: [...path.edges, hop.edge],
  };
}

function owned(path: PathRow): PathRow {
  const own = ({ entity, key }: Vertex): Vertex => ({ entity, key: key.map(copy) as Row });
  return { ...path, vertices: path.vertices.map(own), edges: path.edges.map(own) };
}
