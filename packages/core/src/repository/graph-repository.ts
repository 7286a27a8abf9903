/**
 * What only a graph can do: neighbours, walks of any depth and shortest paths, for every class that relationships lead
 * to or from, in whichever store it lives. The graph store walks over keys; entities come from their own stores.
 */
import { EntityNotFoundError, InvalidQueryError } from '../errors/errors.js';
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import { describe, isPlainObject } from '../query/comparand.js';
import { keyRow } from '../query/identity.js';
import { keyText } from '../query/key.js';
import { and, isTrue, keysIn } from '../query/logic.js';
import { settle } from '../query/semi-join.js';
import { compileWhere, visible } from '../query/where.js';
import type { CallOptions, ContextSource, WorkContext } from '../session/ports.js';
import type { PathRow, TraverseSpec } from '../store/graph.js';
import type { Loaded, PopulatePath } from '../types/find.js';
import type { IdOf, RelationName } from '../types/properties.js';
import type { Where } from '../types/where.js';
import { type Edge, type LoadedPath, loadPaths } from './graph-paths.js';
import { type Direction, planSteps } from './graph-steps.js';
import { whole } from './numbers.js';
import { populate } from './populate.js';
import { planPopulate } from './populate-plan.js';
import { callOptions, checkNames } from './query-plan.js';

/** Most steps of a walk, unless the caller says otherwise. */
const SHORTEST_DEPTH = 15;

/** What a walk goes along: a relation of the entity, a relationship type, a relationship class, or several of them. */
export type Via<T, R extends object> = RelationName<T> | (string & {}) | EntityClass<R>;

export interface WalkOptions<T, R extends object> extends CallOptions {
  /** Every relationship of the class, either way, if absent. */
  readonly via?: Via<T, R> | readonly Via<T, R>[];
  /** Of a relation its own, of a type or class `out`, if absent. */
  readonly direction?: Direction;
  /** On the relationship's own properties. */
  readonly where?: Where<R>;
}

export interface TraverseOptions<T, R extends object, P extends string> extends WalkOptions<T, R> {
  /** Where to start: entities or ids. */
  readonly from: T | IdOf<T> | readonly (T | IdOf<T>)[];
  /** Number of steps: exactly so many, or from and to (included). One step if absent. */
  readonly depth?: number | readonly [number, number];
  /** Vertices of the class that do not match are neither reported nor walked through. */
  readonly vertices?: Where<T>;
  /** Each vertex once, at its least depth (`vertices`, default), or every path that repeats none (`paths`). */
  readonly unique?: 'vertices' | 'paths';
  /** Greatest number of paths. */
  readonly limit?: number;
  /** Relations of the reached entities to load. */
  readonly populate?: readonly P[];
}

/** One way from a start to an entity. */
export interface Traversal<V, R = object> {
  /** Where the path ends. */
  readonly entity: V;
  /** Number of steps. */
  readonly depth: number;
  /** Entities from the start to the end, both included. */
  readonly path: readonly V[];
  /** One for each step: entities of the relationship class, or plain edges of relationships without one. */
  readonly edges: readonly R[];
}

const WALK = ['via', 'direction', 'where', 'signal', 'timeoutMs', 'label'];

/**
 * Walks from and to entities of one class. Where relationships lead to other classes, name them:
 * `traverse<Route, City | Port>(…)`.
 */
export class GraphRepository<T extends object> {
  readonly #entity: EntityModel;
  readonly #source: ContextSource;

  constructor(entity: EntityModel, source: ContextSource) {
    this.#entity = entity;
    this.#source = source;
  }

  /** Entities that are one step away, each once. */
  async neighbours<R extends object = Edge, V extends object = T, const P extends PopulatePath<T> = never>(
    from: T | IdOf<T> | readonly (T | IdOf<T>)[],
    options: Omit<TraverseOptions<T, R, P>, 'from' | 'depth' | 'unique'> = {},
  ): Promise<Loaded<V, P>[]> {
    const found = await this.traverse<R, V, P>({ ...options, from, depth: 1 });
    return [...new Set(found.map(({ entity }) => entity))];
  }

  /**
   * Walks of variable depth.
   *
   * ```ts
   * await weave.graph(Airport).traverse({ from: sfo, via: Route, depth: [1, 2], where: { flights: { gte: 10 } } });
   * ```
   */
  async traverse<R extends object = Edge, V extends object = T, const P extends PopulatePath<T> = never>(
    options: TraverseOptions<T, R, P>,
  ): Promise<Traversal<Loaded<V, P>, R>[]> {
    const entity = this.#entity;
    checkNames(entity, options, [...WALK, 'from', 'depth', 'vertices', 'unique', 'limit', 'populate']);
    const work = this.#source.current();
    const call = callOptions(options);
    const { unique = 'vertices', from } = options;
    if (unique !== 'vertices' && unique !== 'paths')
      throw refuse(entity, `unique is 'vertices' or 'paths', and this is ${describe(unique)}`);
    const [minDepth, maxDepth] = depths(entity, options.depth);
    const nodes = planPopulate(entity, options.populate, undefined, undefined);
    const limit = whole(entity, 'limit of traverse', options.limit, 1);
    const keys = (Array.isArray(from) ? from : [from]).map((start) => this.#key(start, 'from'));
    if (keys.length === 0) return [];
    const { steps, graph, relationship } = await planSteps(work, entity, options, call);
    const { inside, outside } = await this.#vertexFilter(work, options.vertices, relationship.store, maxDepth, call);
    const spec: TraverseSpec = {
      from: entity,
      keys,
      steps,
      minDepth,
      maxDepth,
      unique,
      ...(inside === undefined ? {} : { vertices: inside }),
      ...(limit === undefined || outside !== undefined ? {} : { limit }),
    };
    const reads = [...steps.map((step) => step.relationship), entity];
    const rows = await graph.traverse(spec, await work.access(relationship, reads, call));
    const kept = outside === undefined ? rows : await outside(rows);
    const paths = await loadPaths(work, limit === undefined ? kept : kept.slice(0, limit), call);
    const ends = [...new Set(paths.map(({ vertices }) => vertices.at(-1)))];
    await populate(
      work,
      ends.filter((end): end is object => end instanceof entity.target),
      nodes,
      call,
    );
    return paths.map(traversal) as Traversal<Loaded<V, P>, R>[];
  }

  /**
   * A path with the fewest steps, or `null` where none has at most `maxDepth` (15 if absent). Both ends are entities, or
   * ids of this class.
   */
  async shortestPath<R extends object = Edge, V extends object = T>(
    from: T | IdOf<T>,
    to: T | IdOf<T> | object,
    options: WalkOptions<T, R> & { readonly maxDepth?: number } = {},
  ): Promise<Traversal<V, R> | null> {
    const entity = this.#entity;
    checkNames(entity, options, [...WALK, 'maxDepth']);
    const work = this.#source.current();
    const call = callOptions(options);
    const maxDepth = whole(entity, 'maxDepth', options.maxDepth, 1) ?? SHORTEST_DEPTH;
    const goal = this.#goal(work, to);
    const start = { entity: entity.name, key: this.#key(from, 'from') };
    const { steps, graph, relationship } = await planSteps(work, entity, options, call);
    const reads = [...steps.map((step) => step.relationship), entity];
    const row = await graph.shortestPath(
      { from: start, to: goal, steps, maxDepth },
      await work.access(relationship, reads, call),
    );
    if (row === undefined) return null;
    const [path] = await loadPaths(work, [row], call);
    if (path !== undefined) return traversal(path) as Traversal<V, R>;
    throw new EntityNotFoundError(
      `The shortest path from ${entity.name} ${keyText(start.key)} to ${goal.entity} ${keyText(goal.key)} leads over an entity that does not exist any more. Delete its relationships with it.`,
      { entity: entity.name, key: from },
    );
  }

  #key(value: unknown, name: string): Row {
    return keyRow({ entity: this.#entity, path: [] }, this.#entity, value ?? refuseMissing(this.#entity, name));
  }

  #goal(work: WorkContext, to: unknown) {
    if (typeof to === 'object' && to !== null && !isPlainObject(to) && !(to instanceof Date)) {
      const other = work.domain.of(to.constructor as EntityClass);
      return { entity: other.name, key: keyRow({ entity: other, path: [] }, other, to) };
    }
    return { entity: this.#entity.name, key: this.#key(to, 'to') };
  }

  /** A filter on vertices is for the graph where they live in it; otherwise the core can apply it to the last step only. */
  async #vertexFilter(work: WorkContext, where: unknown, store: string, maxDepth: number, call: CallOptions) {
    const entity = this.#entity;
    const condition = await settle(work, entity, compileWhere(entity, where), call);
    if (isTrue(condition)) return {};
    if (entity.store === store) return { inside: { entity, where: and(condition, visible(entity)) } };
    if (maxDepth > 1) {
      throw refuse(
        entity,
        `vertices are filtered while walking, and ${entity.name} lives in store "${entity.store}", not in the graph "${store}". Walk one step at a time, filter the answer, or keep the property on the relationship`,
      );
    }
    const outside = async (rows: readonly PathRow[]) => {
      const ends = rows.flatMap(({ vertices }) =>
        vertices.at(-1)?.entity === entity.name ? [vertices.at(-1)?.key ?? []] : [],
      );
      const access = await work.access(entity, [entity], call);
      const fields = entity.ids;
      const found = await work
        .store(entity)
        .read({ entity, fields, where: and(keysIn(fields, ends), condition) }, access);
      const passing = new Set(found.map((key) => keyText(key)));
      return rows.filter(({ vertices }) => {
        const end = vertices.at(-1);
        return end?.entity !== entity.name || passing.has(keyText(end.key));
      });
    };
    return { outside };
  }
}

function traversal({ depth, vertices, edges }: LoadedPath): Traversal<object | undefined> {
  return { entity: vertices.at(-1), depth, path: vertices, edges };
}

function depths(entity: EntityModel, depth: unknown): readonly [number, number] {
  const [low, high] = Array.isArray(depth) ? [depth[0], depth[1]] : [depth ?? 1, depth ?? 1];
  const least = whole(entity, 'depth', low ?? null, 1) ?? 1;
  const most = whole(entity, 'depth', high ?? null, 1) ?? least;
  if (least <= most) return [least, most];
  throw refuse(entity, `depth goes from ${least} to ${most}; the smaller number comes first`);
}

function refuseMissing(entity: EntityModel, name: string): never {
  throw refuse(entity, `"${name}" is missing: give an entity or its id`);
}

function refuse(entity: EntityModel, problem: string): InvalidQueryError {
  return new InvalidQueryError(`${entity.name}: ${problem}.`, { entity: entity.name });
}
