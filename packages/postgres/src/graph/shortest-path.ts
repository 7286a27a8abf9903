/**
 * The shortest path between two vertices: breadth first from both ends, always from the end that has fewer vertices to
 * ask about, one statement per level, until the two meet. Whole levels are compared, so the first meeting is a shortest.
 */
import type { PathRow, ShortestPathSpec } from '@storeweave/core';
import type { Layouts, SqlSession } from '@storeweave/sql';
import { type Hop, Hops } from './hops.js';
import { Vertices } from './vertices.js';

interface Side {
  readonly hops: Hops;
  /** How each vertex was reached; the end itself has no entry. */
  readonly arrivals: Map<number, { readonly from: number; readonly hop: Hop }>;
  readonly seen: Set<number>;
  frontier: readonly number[];
}

export async function shortestPath(
  spec: ShortestPathSpec,
  layouts: Layouts,
  session: SqlSession,
): Promise<PathRow | undefined> {
  const vertices = new Vertices();
  const forward = new Hops(spec.steps, layouts, vertices);
  const backward = new Hops(spec.steps, layouts, vertices, { reversed: true });
  const from = forward.start(spec.from.entity, spec.from.key);
  const to = backward.start(spec.to.entity, spec.to.key) ?? forward.start(spec.to.entity, spec.to.key);
  if (from === undefined || to === undefined) return same(spec);
  if (from === to) return { start: 0, depth: 0, vertices: [vertices.copy(from)], edges: [] };
  const ahead: Side = { hops: forward, arrivals: new Map(), seen: new Set([from]), frontier: [from] };
  const behind: Side = { hops: backward, arrivals: new Map(), seen: new Set([to]), frontier: [to] };
  for (let depth = 1; depth <= spec.maxDepth; depth++) {
    if (ahead.frontier.length === 0 || behind.frontier.length === 0) return undefined;
    const isAhead = ahead.frontier.length <= behind.frontier.length;
    const meeting = await advance(isAhead ? ahead : behind, isAhead ? behind : ahead, session);
    if (meeting !== undefined) return joined(meeting, ahead, behind, vertices);
  }
  return undefined;
}

/** No step leads from or to such a vertex: there is a path only from a vertex to itself. */
function same({ from, to }: ShortestPathSpec): PathRow | undefined {
  const isSame = from.entity === to.entity && from.key.every((value, i) => String(value) === String(to.key[i]));
  return isSame
    ? { start: 0, depth: 0, vertices: [{ entity: from.entity, key: [...from.key] }], edges: [] }
    : undefined;
}

/** One more level of one side; the first vertex of it that the other side has seen. */
async function advance(side: Side, other: Side, session: SqlSession): Promise<number | undefined> {
  await side.hops.expand(side.frontier, session, {});
  const next: number[] = [];
  for (const from of side.frontier) {
    for (const hop of side.hops.of(from)) {
      if (side.seen.has(hop.to)) continue;
      side.seen.add(hop.to);
      side.arrivals.set(hop.to, { from, hop });
      if (other.seen.has(hop.to)) return hop.to;
      next.push(hop.to);
    }
  }
  side.frontier = next;
  return undefined;
}

function joined(meeting: number, ahead: Side, behind: Side, vertices: Vertices): PathRow {
  const path = [vertices.copy(meeting)];
  const edges = [];
  for (let at = ahead.arrivals.get(meeting); at !== undefined; at = ahead.arrivals.get(at.from)) {
    path.push(vertices.copy(at.from));
    edges.push(ahead.hops.edge(at.hop));
  }
  path.reverse();
  edges.reverse();
  for (let at = behind.arrivals.get(meeting); at !== undefined; at = behind.arrivals.get(at.from)) {
    path.push(vertices.copy(at.from));
    edges.push(behind.hops.edge(at.hop));
  }
  return { start: 0, depth: edges.length, vertices: path, edges };
}
