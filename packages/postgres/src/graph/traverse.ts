/**
 * Walks from given vertices: level by level, one statement each. The relationships of a level are fetched once for all
 * starts and paths; which of them count is decided here, where a set of numbers is cheap, and not in a recursive query,
 * whose paths through a dense graph would outgrow every memory.
 */
import { type PathRow, TimeoutError, type TraverseSpec } from '@storeweave/core';
import type { Layouts, SqlSession } from '@storeweave/sql';
import { type Hop, Hops } from './hops.js';
import { Vertices } from './vertices.js';

/** How a vertex was first reached. */
interface Arrival {
  readonly from: number;
  readonly hop: Hop;
  readonly depth: number;
}

export async function traverse(
  spec: TraverseSpec,
  layouts: Layouts,
  session: SqlSession,
  timeoutMs?: number,
): Promise<PathRow[]> {
  if (spec.limit === 0 || spec.keys.length === 0 || spec.maxDepth < spec.minDepth) return [];
  const vertices = new Vertices();
  const hops = new Hops(spec.steps, layouts, vertices, spec.vertices === undefined ? {} : { filter: spec.vertices });
  const starts: Start[] = [];
  for (const [position, key] of spec.keys.entries()) {
    const vertex = hops.start(spec.from.name, key);
    if (vertex !== undefined)
      starts.push({ position, vertex, arrivals: new Map(), seen: new Set([vertex]), frontier: [vertex], found: [] });
  }
  const walk = { spec, hops, vertices, starts, session, limit: spec.limit ?? Number.POSITIVE_INFINITY };
  if (spec.unique === 'paths') await walkPaths(walk, timeoutMs);
  else await walkVertices(walk);
  const found = starts.flatMap((start) => start.found);
  return found.length > walk.limit ? found.slice(0, walk.limit) : found;
}

interface Start {
  readonly position: number;
  readonly vertex: number;
  readonly arrivals: Map<number, Arrival>;
  readonly seen: Set<number>;
  frontier: readonly number[];
  readonly found: PathRow[];
}

interface Walk {
  readonly spec: TraverseSpec;
  readonly hops: Hops;
  readonly vertices: Vertices;
  readonly starts: readonly Start[];
  readonly session: SqlSession;
  readonly limit: number;
}

async function walkVertices({ spec, hops, vertices, starts, session, limit }: Walk): Promise<void> {
  for (let depth = 1; depth <= spec.maxDepth; depth++) {
    const open = starts.filter((start) => start.frontier.length > 0 && start.found.length < limit);
    const [only] = open;
    if (only === undefined) return;
    // Of a hub with a million neighbours, ten are enough where ten are asked for.
    const isBounded = depth >= spec.minDepth && Number.isFinite(limit);
    const atMost = isBounded ? limit - only.found.length + only.seen.size : undefined;
    const frontier = open.flatMap((start) => start.frontier);
    await hops.expand(frontier, session, starts.length === 1 ? { atMost } : undefined);
    for (const start of open) {
      const next: number[] = [];
      for (const from of start.frontier) {
        for (const hop of hops.of(from)) {
          if (start.seen.has(hop.to)) continue;
          start.seen.add(hop.to);
          start.arrivals.set(hop.to, { from, hop, depth });
          next.push(hop.to);
        }
      }
      if (depth >= spec.minDepth) {
        for (const vertex of next) {
          if (start.found.length >= limit) break;
          start.found.push(pathTo(start, vertex, depth, hops, vertices));
        }
      }
      start.frontier = next;
    }
  }
}

function pathTo(start: Start, end: number, depth: number, hops: Hops, vertices: Vertices): PathRow {
  const path = [vertices.copy(end)];
  const edges = [];
  for (let at = start.arrivals.get(end); at !== undefined; at = start.arrivals.get(at.from)) {
    path.push(vertices.copy(at.from));
    edges.push(hops.edge(at.hop));
  }
  return { start: start.position, depth, vertices: path.reverse(), edges: edges.reverse() };
}

/** Shorter paths first. What lies within reach is fetched level by level; the paths themselves are counted out here. */
async function walkPaths({ spec, hops, vertices, starts, session, limit }: Walk, timeoutMs?: number): Promise<void> {
  const deadline = timeoutMs === undefined ? undefined : { at: Date.now() + timeoutMs, ms: timeoutMs };
  const open = new Set(starts);
  for (let depth = 1; depth <= spec.maxDepth && open.size > 0; depth++) {
    await hops.expand(
      [...open].flatMap((start) => start.frontier),
      session,
    );
    for (const start of open) {
      const next: number[] = [];
      for (const from of start.frontier) {
        for (const { to } of hops.of(from)) {
          if (start.seen.has(to)) continue;
          start.seen.add(to);
          next.push(to);
        }
      }
      start.frontier = next;
      if (depth < spec.minDepth) continue;
      const before = start.found.length;
      simplePaths(start, depth, limit, hops, vertices, deadline);
      // Every path has a path one step shorter in it: without any of this length there are none of the next.
      if (start.found.length === before || start.found.length >= limit) open.delete(start);
    }
  }
}

interface Deadline {
  readonly at: number;
  readonly ms: number;
}

/** All paths of exactly this many steps, depth first: memory for one path, whatever their number. */
function simplePaths(
  start: Start,
  length: number,
  limit: number,
  hops: Hops,
  vertices: Vertices,
  deadline?: Deadline,
): void {
  const path: Hop[] = [];
  const on = new Set([start.vertex]);
  let steps = 0;
  const visit = (vertex: number): void => {
    if (path.length === length) {
      const ends = path.map((hop) => vertices.copy(hop.to));
      start.found.push({
        start: start.position,
        depth: length,
        vertices: [vertices.copy(start.vertex), ...ends],
        edges: path.map((hop) => hops.edge(hop)),
      });
      return;
    }
    for (const hop of hops.of(vertex)) {
      if (start.found.length >= limit) return;
      if (on.has(hop.to)) continue;
      if (deadline !== undefined && ++steps % 4096 === 0 && Date.now() > deadline.at) {
        throw new TimeoutError(
          `The paths were not counted out within ${deadline.ms} ms. Lower maxDepth, give a limit, or walk with unique: 'vertices'.`,
        );
      }
      on.add(hop.to);
      path.push(hop);
      visit(hop.to);
      path.pop();
      on.delete(hop.to);
    }
  };
  visit(start.vertex);
}
