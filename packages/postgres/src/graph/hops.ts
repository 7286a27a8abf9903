/**
 * One level of a walk as one statement: the relationships that lead on from a set of vertices, over all kinds of steps
 * at once. Each vertex is asked about once, however many starts or paths come by, so a walk costs the relationships
 * within its reach and not the number of its paths.
 */
import {
  type Condition,
  type Endpoint,
  type EntityModel,
  type Field,
  InvalidQueryError,
  type Row,
  type StepSpec,
  type Vertex,
} from '@storeweave/core';
import {
  compileCondition,
  type Decode,
  decoderOf,
  type Layouts,
  Scope,
  type SqlSession,
  type TableScope,
  type TextRow,
} from '@storeweave/sql';
import { quoteText } from '../schema/design.js';
import type { Vertices } from './vertices.js';

/** One way to go along relationships of one entity. */
interface Branch {
  readonly relationship: EntityModel;
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly where?: Condition;
  /** Of the relationship's key. */
  readonly decoders: readonly (Decode | undefined)[];
}

export interface Hop {
  readonly to: number;
  readonly branch: number;
  /** The answer's row, with the key of the relationship in it; read for hops that are reported. */
  readonly row: TextRow;
}

/** Vertices that may be met. */
export interface VertexFilter {
  readonly entity: EntityModel;
  readonly where: Condition;
}

const NONE: readonly Hop[] = [];
/** Where a relationship's key begins in a row: behind the asked vertex, the branch and the target's entity. */
const EDGE_AT = 3;

export class Hops {
  readonly #branches: Branch[] = [];
  readonly #from = new Map<number, Hop[]>();

  constructor(
    steps: readonly StepSpec[],
    private readonly layouts: Layouts,
    private readonly vertices: Vertices,
    private readonly options: { readonly filter?: VertexFilter; readonly reversed?: boolean } = {},
  ) {
    for (const { relationship, direction, where } of steps) {
      const { endpoints } = relationship;
      if (endpoints === undefined) {
        throw new InvalidQueryError(
          `${relationship.name} has no endpoints, so no step goes along it. Walk along @Relationship classes or @Related relations.`,
          {
            entity: relationship.name,
          },
        );
      }
      const { from, to } = endpoints;
      const reversed = options.reversed === true;
      const shared = { relationship, where, decoders: relationship.ids.map(decoderOf) };
      if (direction === 'both' || (direction === 'out') !== reversed)
        this.#branches.push({ ...shared, source: from, target: to });
      if (direction === 'both' || (direction === 'in') !== reversed)
        this.#branches.push({ ...shared, source: to, target: from });
    }
  }

  /** The number of a vertex that the caller names. */
  start(entity: string, key: Row): number | undefined {
    const branch = this.#branches.find(({ source }) => source.entity.name === entity);
    return branch && this.vertices.number(entity, key, { owner: branch.relationship, fields: branch.source.fields });
  }

  /** What leads on from a vertex that was expanded. */
  of(vertex: number): readonly Hop[] {
    return this.#from.get(vertex) ?? NONE;
  }

  /** Name and key of the relationship of a hop. */
  edge(hop: Hop): Vertex {
    const { relationship, decoders } = this.#branch(hop.branch);
    const key = decoders.map((decode, i) => {
      const text = hop.row[EDGE_AT + i] ?? null;
      return text === null || decode === undefined ? text : decode(text);
    });
    return { entity: relationship.name, key };
  }

  /**
   * Asks once for all of these that have not been asked about. With `once`, for one way only to each vertex that they
   * lead to: enough where a single walk goes on from it; and then for no more than so many vertices.
   */
  async expand(frontier: readonly number[], session: SqlSession, once?: { readonly atMost?: number }): Promise<void> {
    const groups = new Map<string, number[]>();
    for (const vertex of frontier) {
      if (this.#from.has(vertex)) continue;
      this.#from.set(vertex, []);
      const entity = this.vertices.entity(vertex);
      const group = groups.get(entity);
      if (group === undefined) groups.set(entity, [vertex]);
      else group.push(vertex);
    }
    const branches = this.#branches.flatMap((branch, i) =>
      groups.has(branch.source.entity.name) ? [{ branch, i }] : [],
    );
    if (branches.length === 0) return;
    const scope = new Scope(this.layouts);
    const width = {
      edge: Math.max(...branches.map(({ branch }) => branch.relationship.ids.length)),
      key: Math.max(...branches.map(({ branch }) => branch.target.fields.length)),
    };
    const lists = new Map<string, string>();
    const parts = branches.map(({ branch, i }) => this.#select(branch, i, groups, lists, scope, width));
    let text = parts.join(' union all ');
    if (once !== undefined) {
      const keys = Array.from({ length: width.key }, (_, i) => `k${i}`);
      text = `select distinct on (target, ${keys.join(', ')}) * from (${text}) h`;
      if (once.atMost !== undefined) text += ` limit ${scope.parameter(String(once.atMost), 'bigint')}`;
    }
    const { rows } = await session.query({ text, values: scope.values });
    this.#take(rows, groups, width.edge);
  }

  #select(
    { relationship, source, target, where }: Branch,
    branch: number,
    groups: ReadonlyMap<string, readonly number[]>,
    lists: Map<string, string>,
    scope: Scope,
    width: { readonly edge: number; readonly key: number },
  ): string {
    const table = scope.table(relationship);
    const entity = source.entity.name;
    let list = lists.get(entity);
    if (list === undefined) {
      const members = groups.get(entity) ?? [];
      list = source.fields
        .map((field, i) =>
          table.list(
            field,
            members.map((vertex) => this.vertices.key(vertex)[i]),
          ),
        )
        .join(', ');
      lists.set(entity, list);
    }
    const keys = source.fields.map((_, i) => `s${i}`);
    const columns = [
      'f.n',
      `${branch} as branch`,
      `${quoteText(target.entity.name)} as target`,
      ...padded(relationship.ids, width.edge, 'e', table),
      ...padded(target.fields, width.key, 'k', table),
    ];
    const on = source.fields.map((field, i) => `${table.field(field)} = f.s${i}`);
    let text = `select ${columns.join(', ')} from unnest(${list}) with ordinality as f(${keys.join(', ')}, n) join ${table.layout.table} ${table.alias} on ${on.join(' and ')}`;
    const { filter } = this.options;
    if (filter !== undefined && filter.entity.name === target.entity.name) {
      const vertex = scope.table(filter.entity);
      const match = target.fields.map(
        (field, i) => `${vertex.field(filter.entity.ids[i] as Field)} = ${table.field(field)}`,
      );
      text += ` join ${vertex.layout.table} ${vertex.alias} on ${match.join(' and ')} and ${compileCondition(filter.where, vertex)}`;
    }
    return where === undefined ? text : `${text} where ${compileCondition(where, table)}`;
  }

  #take(rows: readonly TextRow[], groups: ReadonlyMap<string, readonly number[]>, edgeWidth: number): void {
    const at = EDGE_AT + edgeWidth;
    for (const row of rows) {
      const branch = Number(row[1]);
      const { relationship, source, target } = this.#branch(branch);
      const from = groups.get(source.entity.name)?.[Number(row[0]) - 1];
      if (from === undefined) continue;
      const to = this.vertices.numberOf(target.entity.name, row, at, { owner: relationship, fields: target.fields });
      this.#from.get(from)?.push({ to, branch, row });
    }
  }

  #branch(number: number): Branch {
    const branch = this.#branches[number];
    if (branch === undefined) throw new RangeError(`There is no branch of number ${number}.`);
    return branch;
  }
}

/** Keys as text, so that relationships with keys of different types fit into one answer. */
function padded(fields: readonly Field[], width: number, prefix: string, table: TableScope): string[] {
  return Array.from({ length: width }, (_, i) => {
    const field = fields[i];
    if (field === undefined) return `null::text as ${prefix}${i}`;
    const expression = table.field(field);
    // A cast writes booleans as words; everything else as the server answers it.
    const text = field.type === 'boolean' ? `case when ${expression} then 't' else 'f' end` : `${expression}::text`;
    return `${text} as ${prefix}${i}`;
  });
}
