/**
 * The steps of a walk as one quantified pattern, and its vertices and edges as lists that tell what they are: the
 * position of their entity in a table, then their key.
 */
import {
  type EntityModel,
  type Field,
  InvalidQueryError,
  type Row,
  type StepSpec,
  type TraverseSpec,
  type Value,
  type Vertex,
} from '@storeweave/core';
import { compileCondition } from '../condition.js';
import { shown } from '../fences/marks.js';
import { type EndShape, quote, type Shape } from '../names.js';
import { Matched, type Scope } from '../scope.js';
import { decoder, encode } from '../values.js';

interface Branch {
  readonly step: StepSpec;
  readonly shape: Shape;
  readonly ends: NonNullable<Shape['ends']>;
}

/** An entity that a path can pass, and the fields of its key. */
interface Passed {
  readonly entity: EntityModel;
  readonly label: string;
  readonly key: readonly { readonly field: Field; readonly property: string }[];
}

export class Steps {
  readonly #branches: readonly Branch[];
  readonly #vertices: readonly Passed[];
  readonly #edges: readonly Branch[];

  constructor(
    steps: readonly StepSpec[],
    private readonly scope: Scope,
    private readonly filter?: TraverseSpec['vertices'],
  ) {
    this.#branches = steps.map((step) => {
      const shape = scope.names.shape(step.relationship);
      if (shape.ends === undefined) {
        throw new InvalidQueryError(
          `${step.relationship.name} has no endpoints, so no step goes along it. Walk along @Relationship classes or @Related relations.`,
          { entity: step.relationship.name },
        );
      }
      return { step, shape, ends: shape.ends };
    });
    const vertices = new Map<EntityModel, Passed>();
    const enter = ({ entity, label, properties }: EndShape) => {
      const key = entity.ids.map((field, i) => ({ field, property: properties[i] ?? field.column }));
      vertices.set(entity, { entity, label, key });
    };
    for (const { ends } of this.#branches) {
      enter(ends.from);
      enter(ends.to);
    }
    this.#vertices = [...vertices.values()];
    this.#edges = [...new Map(this.#branches.map((branch) => [branch.shape.entity, branch])).values()];
  }

  /** The same direction for all, so that the pattern can say it and the planner can follow it. */
  get direction(): 'out' | 'in' | 'both' | 'mixed' {
    const directions = new Set(this.#branches.map(({ step }) => step.direction));
    return directions.size === 1 ? (this.#branches[0]?.step.direction ?? 'both') : 'mixed';
  }

  /** A vertex by entity and key, or undefined where no step leads from or to such a one. */
  start(alias: string, entity: string, key: string): string | undefined {
    const passed = this.#vertices.find((each) => each.entity.name === entity);
    return (
      passed &&
      `(${alias}:${quote(passed.label)}) WHERE ${passed.key.map(({ property }, i) => `${alias}.${quote(property)} = ${key}[${i}]`).join(' AND ')}`
    );
  }

  /** One hop: `(x)-[e:A|B]->(y) WHERE …`. */
  get hop(): string {
    const conditions = [...this.along, ...this.#through()];
    return `(x)${this.arrow('e')}(y)${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
  }

  /** `-[e:A|B]->`, or with a length `-[:A|B*1..5]->`. */
  arrow(inside: string, length = ''): string {
    const types = [...new Set(this.#branches.map(({ shape }) => quote(shape.source)))].join('|');
    const [left, right] = { out: ['-', '->'], in: ['<-', '-'], both: ['-', '-'], mixed: ['-', '-'] }[this.direction];
    return `${left}[${inside}:${types}${length}]${right}`;
  }

  /** A list that `vertex` reads. */
  vertexOf(node: string): string {
    return choice(
      this.#vertices.map(({ label, key }, i) => ({
        when: `${node}:${quote(label)}`,
        list: [String(i), ...key.map(({ property }) => `${node}.${quote(property)}`)],
      })),
    );
  }

  /** A list that `edge` reads. */
  edgeOf(relationship: string): string {
    return choice(
      this.#edges.map(({ shape }, i) => ({
        when: `${relationship}:${quote(shape.source)}`,
        list: [String(i), ...shape.entity.ids.map((id) => this.#fieldOf(shape, relationship, id))],
      })),
    );
  }

  vertex(list: unknown): Vertex {
    const [at, ...key] = list as Value[];
    const passed = this.#vertices[Number(at)];
    if (passed === undefined) throw unknown('node');
    return { entity: passed.entity.name, key: decoded(passed.entity.ids, key) };
  }

  edge(list: unknown): Vertex {
    const [at, ...key] = list as Value[];
    const entity = this.#edges[Number(at)]?.shape.entity;
    if (entity === undefined) throw unknown('relationship');
    return { entity: entity.name, key: decoded(entity.ids, key) };
  }

  /** Conditions on the relationship `e` of a hop. */
  get along(): string[] {
    // Nothing else leads to what is not decided, so the nodes need not be asked.
    return [...(this.scope.names.isFenced ? [shown('e')] : []), ...this.#chosen()];
  }

  #chosen(): string[] {
    const mixed = this.direction === 'mixed';
    const parts = this.#branches.map(({ step, shape }) => {
      const matched = new Matched(shape, 'e', 'startNode(e)', 'endNode(e)');
      const conditions = [
        ...(this.#branches.length > 1 ? [`e:${quote(shape.source)}`] : []),
        ...(step.where === undefined ? [] : [compileCondition(step.where, matched, this.scope)]),
        ...(mixed && step.direction !== 'both' ? [`${step.direction === 'out' ? 'startNode' : 'endNode'}(e) = x`] : []),
      ];
      return conditions;
    });
    if (parts.some((conditions) => conditions.length === 0)) return [];
    const isPlain = !mixed && this.#branches.every(({ step }) => step.where === undefined);
    if (isPlain) return [];
    const alternatives = parts.map((conditions) => conditions.join(' AND '));
    return alternatives.length === 1 ? alternatives : [`(${alternatives.map((each) => `(${each})`).join(' OR ')})`];
  }

  /** Condition on the vertex that a hop leads to. */
  #through(): string[] {
    const { filter } = this;
    if (filter === undefined) return [];
    const shape = this.scope.names.shape(filter.entity);
    const condition = compileCondition(filter.where, new Matched(shape, 'y', '', ''), this.scope);
    return [`(NOT y:${quote(shape.source)} OR coalesce(${condition}, false))`];
  }

  #fieldOf(shape: Shape, relationship: string, field: Field): string {
    return new Matched(shape, relationship, `startNode(${relationship})`, `endNode(${relationship})`).field(field);
  }
}

/** The entity of this name that a step starts or ends at. */
export function entityNamed(steps: readonly StepSpec[], name: string): EntityModel | undefined {
  for (const { relationship } of steps)
    for (const end of [relationship.endpoints?.from, relationship.endpoints?.to])
      if (end?.entity.name === name) return end.entity;
  return undefined;
}

export function keyOf(entity: EntityModel | undefined, key: Row): Row {
  return entity === undefined ? key : entity.ids.map((id, i) => encode(id, key[i]));
}

function choice(cases: readonly { readonly when: string; readonly list: readonly string[] }[]): string {
  const [only] = cases;
  if (cases.length === 1 && only !== undefined) return `[${only.list.join(', ')}]`;
  return `CASE ${cases.map(({ when, list }) => `WHEN ${when} THEN [${list.join(', ')}]`).join(' ')} END`;
}

function decoded(fields: readonly Field[], key: Row): Row {
  return fields.map((field, i) => decoder(field)(key[i]));
}

function unknown(what: string): InvalidQueryError {
  return new InvalidQueryError(`A walk came to a ${what} that no entity of this application describes.`);
}
