/**
 * Walks along steps that lead in different directions at once: breadth first, one statement per level, which asks for
 * the hops of the whole level. What was seen is kept here.
 */
import type { EntityModel, PathRow, ShortestPathSpec, StepSpec, TraverseSpec, Vertex } from '@storeweave/core';
import type { GraphNames } from '../names.js';
import { Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { entityNamed, keyOf, Steps } from './steps.js';

interface Arrival {
  readonly path: PathRow;
  readonly name: string;
}

export async function walkByLevels(spec: TraverseSpec, names: GraphNames, runner: Runner): Promise<PathRow[]> {
  const found: PathRow[] = [];
  for (const [start, key] of spec.keys.entries()) {
    const origin: PathRow = { start, depth: 0, vertices: [{ entity: spec.from.name, key: [...key] }], edges: [] };
    for await (const level of levels(origin, spec.steps, spec.maxDepth, names, runner, spec.vertices)) {
      for (const { path } of level) if (path.depth >= spec.minDepth) found.push(path);
      if (spec.limit !== undefined && found.length >= spec.limit) return found.slice(0, spec.limit);
    }
  }
  return found;
}

export async function shortestByLevels(
  spec: ShortestPathSpec,
  names: GraphNames,
  runner: Runner,
): Promise<PathRow | undefined> {
  const origin: PathRow = {
    start: 0,
    depth: 0,
    vertices: [{ entity: spec.from.entity, key: [...spec.from.key] }],
    edges: [],
  };
  const goal = nameOf(spec.to);
  for await (const level of levels(origin, spec.steps, spec.maxDepth, names, runner)) {
    const arrival = level.find(({ name }) => name === goal);
    if (arrival !== undefined) return arrival.path;
  }
  return undefined;
}

/** The vertices at each distance from one, with the path to each. */
async function* levels(
  origin: PathRow,
  steps: readonly StepSpec[],
  maxDepth: number,
  names: GraphNames,
  runner: Runner,
  filter?: TraverseSpec['vertices'],
): AsyncGenerator<readonly Arrival[]> {
  const seen = new Set(origin.vertices.map(nameOf));
  let frontier: readonly Arrival[] = origin.vertices.map((vertex) => ({ path: origin, name: nameOf(vertex) }));
  for (let depth = 1; depth <= maxDepth && frontier.length > 0; depth++) {
    const next: Arrival[] = [];
    for (const { from, to, edge } of await hops(frontier, steps, names, runner, filter)) {
      const name = nameOf(to);
      if (seen.has(name)) continue;
      seen.add(name);
      const { path } = frontier[from] as Arrival;
      next.push({
        name,
        path: {
          start: path.start,
          depth: path.depth + 1,
          vertices: [...path.vertices, to],
          edges: [...path.edges, edge],
        },
      });
    }
    yield next;
    frontier = next;
  }
}

interface Hop {
  /** Position in the frontier. */
  readonly from: number;
  readonly to: Vertex;
  readonly edge: Vertex;
}

async function hops(
  frontier: readonly Arrival[],
  stepSpecs: readonly StepSpec[],
  names: GraphNames,
  runner: Runner,
  filter: TraverseSpec['vertices'],
): Promise<readonly Hop[]> {
  const scope = new Scope(names);
  const steps = new Steps(stepSpecs, scope, filter);
  const groups = new Map<string, { readonly entity: EntityModel | undefined; readonly members: number[] }>();
  for (const [at, { path }] of frontier.entries()) {
    const { entity } = path.vertices[path.vertices.length - 1] as Vertex;
    const group = groups.get(entity) ?? { entity: entityNamed(stepSpecs, entity), members: [] };
    group.members.push(at);
    groups.set(entity, group);
  }
  const parts = [...groups].flatMap(([name, { entity, members }]) => {
    const rows = members.map((at) => {
      const { vertices } = (frontier[at] as Arrival).path;
      return [at, keyOf(entity, (vertices[vertices.length - 1] as Vertex).key)];
    });
    const start = steps.start('s', name, 'row[1]');
    return start === undefined
      ? []
      : [
          [
            `UNWIND ${scope.parameter(rows)} AS row`,
            `MATCH ${start}`,
            `MATCH p = (s) ${steps.hop}{1,1} (t)`,
            `RETURN [row[0], ${steps.vertexOf('t')}, ${steps.edgeOf('relationships(p)[0]')}] AS hop`,
          ].join('\n'),
        ];
  });
  if (parts.length === 0) return [];
  const answer = await runner.run(scope.statement(parts.join('\nUNION ALL\n')));
  return (answer as [number, unknown, unknown][]).map(([from, to, edge]) => ({
    from: Number(from),
    to: steps.vertex(to),
    edge: steps.edge(edge),
  }));
}

function nameOf({ entity, key }: Vertex): string {
  return JSON.stringify([entity, ...key.map(String)]);
}
