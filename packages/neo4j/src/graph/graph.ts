/**
 * Walks. Each vertex once, at its least depth, is what Cypher calls a shortest path to every vertex, and the server
 * finds those breadth first; every path is a quantified pattern, cut where a vertex comes again. Either is one
 * statement, with the conditions on relationships and vertices inside the pattern, where they cut a walk short. Only
 * steps in different directions at once are more than a pattern can say: those go level by level.
 */
import type { Access, GraphStore, PathRow, Row, ShortestPathSpec, TraverseSpec } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import type { GraphNames } from '../names.js';
import { type Cypher, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { shortestByLevels, walkByLevels } from './levels.js';
import { entityNamed, keyOf, Steps } from './steps.js';

export class Neo4jGraph implements GraphStore {
  constructor(
    private readonly names: GraphNames,
    private readonly domain: Neo4jDomain,
  ) {}

  async traverse(spec: TraverseSpec, access: Access): Promise<PathRow[]> {
    if (spec.limit === 0 || spec.keys.length === 0 || spec.maxDepth < spec.minDepth) return [];
    return this.domain.atomically(access, 'READ', (runner) => this.#walk(spec, runner));
  }

  async shortestPath(spec: ShortestPathSpec, access: Access): Promise<PathRow | undefined> {
    if (isSame(spec)) return { start: 0, depth: 0, vertices: [owned(spec.from)], edges: [] };
    if (spec.maxDepth < 1) return undefined;
    const scope = new Scope(this.names);
    const steps = new Steps(spec.steps, scope);
    const isMixed = steps.direction === 'mixed';
    if (isMixed) {
      return this.domain.atomically(access, 'READ', (runner) => shortestByLevels(spec, this.names, runner));
    }
    const from = steps.start('s', spec.from.entity, scope.parameter(this.#key(spec, spec.from.entity, spec.from.key)));
    const to = steps.start('t', spec.to.entity, scope.parameter(this.#key(spec, spec.to.entity, spec.to.key)));
    if (from === undefined || to === undefined) return undefined;
    const text = [
      `MATCH ${from}`,
      `MATCH ${to}`,
      `MATCH p = SHORTEST 1 (s) ${steps.hop}{1,${bound(spec.maxDepth)}} (t)`,
      `RETURN ${answerOf(steps, '0')} LIMIT 1`,
    ];
    const [found] = await this.domain.run(scope.statement(text.join('\n')), access, 'READ');
    return found === undefined ? undefined : pathOf(found, steps);
  }

  async #walk(spec: TraverseSpec, runner: Runner): Promise<PathRow[]> {
    if (spec.unique === 'paths') return this.#paths(spec, runner);
    const scope = new Scope(this.names);
    const steps = new Steps(spec.steps, scope, spec.vertices);
    if (steps.direction === 'mixed') return walkByLevels(spec, this.names, runner);
    const begin = beginCypher(spec, steps, scope);
    if (begin === undefined) return [];
    const text = [
      begin,
      `MATCH p = SHORTEST 1 (s) ${steps.hop}{1,${bound(spec.maxDepth)}} (t)`,
      'WHERE t <> s',
      `WITH i, p WHERE length(p) >= ${scope.parameter(BigInt(spec.minDepth))}`,
      `RETURN ${answerOf(steps, 'i')} ORDER BY i, length(p)`,
      ...(spec.limit === undefined ? [] : [`LIMIT ${scope.parameter(BigInt(spec.limit))}`]),
    ];
    return paths(scope.statement(text.join('\n')), steps, runner);
  }

  /** Shorter paths first. With a limit one depth after the other, so that a dense graph is not walked in vain. */
  async #paths(spec: TraverseSpec, runner: Runner): Promise<PathRow[]> {
    const found: PathRow[] = [];
    const depths =
      spec.limit === undefined
        ? [[spec.minDepth, spec.maxDepth]]
        : Array.from({ length: spec.maxDepth - spec.minDepth + 1 }, (_, i) => [spec.minDepth + i, spec.minDepth + i]);
    for (const [low = 1, high = 1] of depths) {
      const scope = new Scope(this.names);
      const steps = new Steps(spec.steps, scope, spec.vertices);
      const begin = beginCypher(spec, steps, scope);
      if (begin === undefined) return [];
      const text = [
        begin,
        `MATCH p = (s) ${steps.hop}{${bound(low)},${bound(high)}} (t)`,
        'WHERE all(j IN range(1, length(p)) WHERE NOT nodes(p)[j] IN nodes(p)[0..j])',
        `RETURN ${answerOf(steps, 'i')}`,
        ...(spec.limit === undefined
          ? [' ORDER BY i, length(p)']
          : [`LIMIT ${scope.parameter(BigInt(spec.limit - found.length))}`]),
      ];
      found.push(...(await paths(scope.statement(text.join('\n')), steps, runner)));
      if (spec.limit !== undefined && found.length >= spec.limit) break;
    }
    return found;
  }

  #key(spec: ShortestPathSpec, name: string, key: Row): Row {
    return keyOf(entityNamed(spec.steps, name), key);
  }
}

function beginCypher(spec: TraverseSpec, steps: Steps, scope: Scope): string | undefined {
  const keys = scope.parameter(spec.keys.map((key) => keyOf(spec.from, key)));
  const start = steps.start('s', spec.from.name, `${keys}[i]`);
  return start && `UNWIND range(0, size(${keys}) - 1) AS i\nMATCH ${start}`;
}

function answerOf(steps: Steps, start: string): string {
  return `[${start}, [n IN nodes(p) | ${steps.vertexOf('n')}], [r IN relationships(p) | ${steps.edgeOf('r')}]]`;
}

async function paths(statement: Cypher, steps: Steps, runner: Runner): Promise<PathRow[]> {
  return (await runner.run(statement)).map((row) => pathOf(row, steps));
}

function pathOf(row: unknown, steps: Steps): PathRow {
  const [start, vertices, edges] = row as [unknown, unknown[], unknown[]];
  return {
    start: Number(start),
    depth: edges.length,
    vertices: vertices.map((each) => steps.vertex(each)),
    edges: edges.map((each) => steps.edge(each)),
  };
}

/** A bound is part of the pattern's text and cannot be a parameter. */
function bound(depth: number): number {
  return Math.min(Math.max(1, Math.trunc(Number(depth))), 2 ** 31 - 1);
}

function isSame({ from, to }: ShortestPathSpec): boolean {
  return from.entity === to.entity && from.key.every((value, i) => String(value) === String(to.key[i]));
}

function owned({ entity, key }: ShortestPathSpec['from']) {
  return { entity, key: [...key] };
}
