/**
 * The graph answers with keys; here they become entities, whatever their stores: one read per class of vertex and one per
 * class of relationship, however many paths there are. A vertex whose entity is gone takes its paths with it.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Row, Value } from '../model/field.js';
import { keyValue } from '../query/identity.js';
import { alignKey, keyText } from '../query/key.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { PathRow, Vertex } from '../store/graph.js';
import { lookup } from './find.js';

/** A step along a relationship that has no class of its own: its type and the ids of its ends. */
export interface Edge {
  readonly type: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface LoadedPath {
  readonly start: number;
  readonly depth: number;
  readonly vertices: readonly object[];
  /** Entities of the relationship class, or plain edges. */
  readonly edges: readonly object[];
}

export async function loadPaths(
  work: WorkContext,
  paths: readonly PathRow[],
  call: CallOptions,
): Promise<LoadedPath[]> {
  const entities = new Index(work);
  for (const { vertices, edges } of paths) for (const vertex of [...vertices, ...edges]) entities.want(vertex);
  await entities.load(call);
  return paths.flatMap(({ start, depth, vertices, edges }) => {
    const loaded = vertices.map((vertex) => entities.get(vertex));
    const steps = edges.map((edge) => entities.get(edge));
    const whole = (list: readonly (object | undefined)[]): list is readonly object[] => !list.includes(undefined);
    return whole(loaded) && whole(steps) ? [{ start, depth, vertices: loaded, edges: steps }] : [];
  });
}

/** Entities by name and key. */
class Index {
  readonly #wanted = new Map<EntityModel, Map<string, Row>>();
  readonly #found = new Map<EntityModel, Map<string, object>>();

  constructor(private readonly work: WorkContext) {}

  want(vertex: Vertex): void {
    const entity = this.#entity(vertex);
    if (entity === undefined || entity.kind === 'link') return;
    let keys = this.#wanted.get(entity);
    if (keys === undefined) {
      keys = new Map();
      this.#wanted.set(entity, keys);
    }
    const text = keyText(vertex.key);
    if (text !== undefined && !keys.has(text)) keys.set(text, vertex.key);
  }

  async load(call: CallOptions): Promise<void> {
    for (const [entity, keys] of this.#wanted) {
      this.#found.set(entity, await lookup(this.work, entity, [...keys.values()], call));
    }
  }

  get(vertex: Vertex): object | undefined {
    const entity = this.#entity(vertex);
    if (entity === undefined) return undefined;
    if (entity.kind === 'link') return plainEdge(entity, vertex.key);
    return this.#found.get(entity)?.get(keyText(vertex.key) ?? '');
  }

  #entity(vertex: Vertex): EntityModel | undefined {
    return this.work.domain.byName(vertex.entity);
  }
}

function plainEdge(link: EntityModel, key: readonly Value[]): Edge {
  const end = (side: 'from' | 'to') => {
    const endpoint = link.endpoints?.[side];
    if (endpoint === undefined) return undefined;
    const values = endpoint.fields.map((field) => key[link.ids.indexOf(field)]);
    return keyValue(endpoint.entity, alignKey(values, endpoint.fields, endpoint.entity.ids));
  };
  return Object.freeze({ type: link.source, from: end('from'), to: end('to') });
}
