/**
 * Walks. A shortest path is the server's own search from both ends, with the conditions on relationships inside it;
 * every path is a quantified pattern, in which they cut a walk short. Where a pattern would try every path only to
 * find each vertex once, or cannot say in which direction each type is walked, the walk goes level by level.
 */
import type { Access, GraphStore, PathRow, Row, ShortestPathSpec, TraverseSpec } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import type { GraphNames } from '../names.js';
import { Scope } from '../scope.js';
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
    const walk = spec.unique === 'paths' ? this.#paths : walkByLevels;
    return this.domain.atomically(access, 'READ', (runner) => walk(spec, this.names, runner));
  }

  async shortestPath(spec: ShortestPathSpec, access: Access): Promise<PathRow | undefined> {
    if (isSame(spec)) return { start: 0, depth: 0, vertices: [{ ...spec.from, key: [...spec.from.key] }], edges: [] };
    if (spec.maxDepth < 1) return undefined;
    const scope = new Scope(this.names);
    const steps = new Steps(spec.steps, scope);
    if (steps.direction === 'mixed')
      return this.domain.atomically(access, 'READ', (runner) => shortestByLevels(spec, this.names, runner));
    const end = (alias: string, { entity, key }: { readonly entity: string; readonly key: Row }) =>
      steps.start(alias, entity, scope.parameter(keyOf(entityNamed(spec.steps, entity), key)));
    const [from, to] = [end('s', spec.from), end('t', spec.to)];
    if (from === undefined || to === undefined) return undefined;
    const where = steps.along.map((condition) => `all(e IN relationships(p) WHERE ${condition})`);
    const text = [
      `MATCH ${from}`,
      `MATCH ${to}`,
      `MATCH p = shortestPath((s)${steps.arrow('', `*1..${bound(spec.maxDepth)}`)}(t))`,
      ...(where.length === 0 ? [] : [`WHERE ${where.join(' AND ')}`]),
      `RETURN ${answerOf(steps, '0')} LIMIT 1`,
    ];
    const [found] = await this.domain.run(scope.statement(text.join('\n')), access, 'READ');
    return found === undefined ? undefined : pathOf(found, steps);
  }

  /** Shorter paths first. With a limit one depth after the other, so that a dense graph is not walked in vain. */
  #paths = async (spec: TraverseSpec, names: GraphNames, runner: Runner): Promise<PathRow[]> => {
    const { limit, minDepth, maxDepth } = spec;
    const found: PathRow[] = [];
    for (let low = minDepth; low <= maxDepth; low++) {
      const high = limit === undefined ? maxDepth : low;
      const scope = new Scope(names);
      const steps = new Steps(spec.steps, scope, spec.vertices);
      const keys = scope.parameter(spec.keys.map((key) => keyOf(spec.from, key)));
      const start = steps.start('s', spec.from.name, `${keys}[i]`);
      if (start === undefined) return [];
      const text = [
        `UNWIND range(0, size(${keys}) - 1) AS i`,
        `MATCH ${start}`,
        `MATCH p = (s) (${steps.hop}){${bound(low)},${bound(high)}} (t)`,
        'WHERE all(j IN range(1, length(p)) WHERE NOT nodes(p)[j] IN nodes(p)[0..j])',
        `RETURN ${answerOf(steps, 'i')}`,
        limit === undefined ? 'ORDER BY i, length(p)' : `LIMIT ${scope.parameter(BigInt(limit - found.length))}`,
      ];
      const answer = await runner.run(scope.statement(text.join('\n')));
      found.push(...answer.map((row) => pathOf(row, steps)));
      if (limit === undefined || found.length >= limit) break;
    }
    return found;
  };
}

function answerOf(steps: Steps, start: string): string {
  return `[${start}, [n IN nodes(p) | ${steps.vertexOf('n')}], [r IN relationships(p) | ${steps.edgeOf('r')}]]`;
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
