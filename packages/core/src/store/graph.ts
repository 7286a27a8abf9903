/**
 * What only a graph store can do. Vertices are named by entity and key, so that an entity of another store can be an
 * endpoint: the graph then knows its key and nothing else. The core loads the entities themselves, in one read each.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Access } from './access.js';
import type { Condition } from './condition.js';

/** One kind of step: along relationships of this entity (`relationship` or `link`), in this direction. */
export interface StepSpec {
  readonly relationship: EntityModel;
  readonly direction: 'out' | 'in' | 'both';
  /** On the relationship's own fields. */
  readonly where?: Condition;
}

export interface TraverseSpec {
  /** Entity of the start vertices and their keys, aligned with its ids. */
  readonly from: EntityModel;
  readonly keys: readonly Row[];
  readonly steps: readonly StepSpec[];
  /** Number of steps, both ends included; at least 1. */
  readonly minDepth: number;
  readonly maxDepth: number;
  /** Each vertex at its least depth only (`vertices`, default), or every path without a repeated vertex (`paths`). */
  readonly unique: 'vertices' | 'paths';
  /** Condition on node entities of this store: a vertex that fails it is neither reported nor walked through. */
  readonly vertices?: { readonly entity: EntityModel; readonly where: Condition };
  readonly limit?: number;
}

/** A vertex: its entity's name and its key. */
export interface Vertex {
  readonly entity: string;
  readonly key: Row;
}

export interface PathRow {
  /** Position in `keys` of where it started. */
  readonly start: number;
  readonly depth: number;
  /** From start to end, both included. */
  readonly vertices: readonly Vertex[];
  /** Name of the relationship entity and key of each step; one less than the vertices. */
  readonly edges: readonly Vertex[];
}

export interface ShortestPathSpec {
  readonly from: Vertex;
  readonly to: Vertex;
  readonly steps: readonly StepSpec[];
  readonly maxDepth: number;
}

export interface GraphStore {
  traverse(spec: TraverseSpec, access: Access): Promise<PathRow[]>;
  /** One path with the fewest steps, or none. */
  shortestPath(spec: ShortestPathSpec, access: Access): Promise<PathRow | undefined>;
}
