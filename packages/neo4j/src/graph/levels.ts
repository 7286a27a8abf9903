/**
 * Each vertex once, at its least depth: breadth first, one statement per level, which asks for the hops of the whole
 * level and of all starts. What was seen is kept here. Cypher can say the same in one pattern (`SHORTEST 1` with a
 * bound), but its plan tries every path: a graph of 40 vertices that all know each other took minutes at five steps.
 */
import type { EntityModel, PathRow, ShortestPathSpec, StepSpec, TraverseSpec, Vertex } from '@storeweave/core';
import type { GraphNames } from '../names.js';
import { Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { entityNamed, keyOf, Steps } from './steps.js';

interface Arrival {
  readonly path: PathRow;
  readonly end: Vertex;
}

/** A walk from one vertex. */
interface Start {
  readonly seen: Set<string>;
  readonly found: PathRow[];
}

export async function walkByLevels(spec: TraverseSpec, names: GraphNames, runner: Runner): Promise<PathRow[]> {
  const limit = spec.limit ?? Number.POSITIVE_INFINITY;
  const origins = spec.keys.map((key, start) => origin(start, { entity: spec.from.name, key: [...key] }));
  const starts = origins.map(({ end }): Start => ({ seen: new Set([nameOf(end)]), found: [] }));
  let frontier: readonly Arrival[] = origins;
  for (let depth = 1; depth <= spec.maxDepth && frontier.length > 0; depth++) {
    const next: Arrival[] = [];
    for (const arrival of await hops(frontier, spec.steps, names, runner, spec.vertices)) {
      const start = starts[arrival.path.start] as Start;
      const name = nameOf(arrival.end);
      if (start.seen.has(name)) continue;
      start.seen.add(name);
      next.push(arrival);
      if (depth >= spec.minDepth) start.found.push(arrival.path);
    }
    // A start that has enough needs no more levels; those of the others are still to come.
    frontier = next.filter(({ path }) => (starts[path.start] as Start).found.length < limit);
  }
  return starts.flatMap(({ found }) => found).slice(0, spec.limit);
}

export async function shortestByLevels(
  spec: ShortestPathSpec,
  names: GraphNames,
  runner: Runner,
): Promise<PathRow | undefined> {
  const goal = nameOf(spec.to);
  let frontier: readonly Arrival[] = [origin(0, { entity: spec.from.entity, key: [...spec.from.key] })];
  const seen = new Set(frontier.map(({ end }) => nameOf(end)));
  for (let depth = 1; depth <= spec.maxDepth && frontier.length > 0; depth++) {
    const next: Arrival[] = [];
    for (const arrival of await hops(frontier, spec.steps, names, runner)) {
      const name = nameOf(arrival.end);
      if (name === goal) return arrival.path;
      if (seen.has(name)) continue;
      seen.add(name);
      next.push(arrival);
    }
    frontier = next;
  }
  return undefined;
}

/** What one step leads to: for each start one way to each vertex, however many there are. */
async function hops(
  frontier: readonly Arrival[],
  specs: readonly StepSpec[],
  names: GraphNames,
  runner: Runner,
  filter?: TraverseSpec['vertices'],
): Promise<readonly Arrival[]> {
  const scope = new Scope(names);
  const steps = new Steps(specs, scope, filter);
  const groups = new Map<string, { readonly entity: EntityModel | undefined; readonly rows: unknown[] }>();
  for (const [at, { path, end }] of frontier.entries()) {
    let group = groups.get(end.entity);
    if (group === undefined) {
      group = { entity: entityNamed(specs, end.entity), rows: [] };
      groups.set(end.entity, group);
    }
    group.rows.push([at, keyOf(group.entity, end.key), path.start]);
  }
  const parts = [...groups].flatMap(([name, { rows }]) => {
    const start = steps.start('x', name, 'row[1]');
    if (start === undefined) return [];
    return [
      [
        `UNWIND ${scope.parameter(rows)} AS row`,
        `MATCH ${start}`,
        `MATCH ${steps.hop}`,
        `WITH y, row[2] AS start, collect([row[0], ${steps.edgeOf('e')}])[0] AS first`,
        `RETURN [first[0], ${steps.vertexOf('y')}, first[1]] AS hop`,
      ].join('\n'),
    ];
  });
  if (parts.length === 0) return [];
  const answer = await runner.run(scope.statement(parts.join('\nUNION ALL\n')));
  return (answer as [number, unknown, unknown][]).map(([from, vertex, edge]) => {
    const { path } = frontier[from] as Arrival;
    const end = steps.vertex(vertex);
    return {
      end,
      path: {
        start: path.start,
        depth: path.depth + 1,
        vertices: [...path.vertices, end],
        edges: [...path.edges, steps.edge(edge)],
      },
    };
  });
}

function origin(start: number, end: Vertex): Arrival {
  return { end, path: { start, depth: 0, vertices: [end], edges: [] } };
}

function nameOf({ entity, key }: Vertex): string {
  return JSON.stringify([entity, ...key.map(String)]);
}
