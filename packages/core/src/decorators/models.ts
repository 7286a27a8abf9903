/** Where a class lives: one of the data models, in a logical store that the configuration binds to a real one. */
import type { ModelDeclaration } from '../metadata/declarations.js';
import type { DataModel } from '../model/entity-model.js';
import type { ModelOf } from '../types/brands.js';
import { classPlace } from './place.js';

/** A class decorator that asks the class to be of this model, if the class names one. */
export type ModelDecorator<M extends DataModel> = <C extends abstract new (...args: never[]) => object>(
  target: CheckModel<C, M>,
  context?: ClassContext,
) => void;

/** Second argument of a standard class decorator. */
export interface ClassContext {
  readonly kind: 'class';
  readonly name: string | undefined;
}

type CheckModel<C extends abstract new (...args: never[]) => object, M extends DataModel> =
  M extends ModelOf<InstanceType<C>>
    ? C
    : `the class says declare readonly [model]: '${ModelOf<InstanceType<C>>}', and this decorator makes it '${M}'`;

/** Options of `@Relational`. */
export interface RelationalOptions {
  /** Table; default: the class's name in snake case and plural (`User` → `users`). */
  readonly table?: string;
  /** Logical store; default: 'relational'. */
  readonly store?: string;
  /** Schema within the database; default: that of the store. */
  readonly namespace?: string;
}

/** Options of `@Document`. */
export interface DocumentOptions {
  /** Collection; default: the class's name in snake case and plural. */
  readonly collection?: string;
  /** Logical store; default: 'document'. */
  readonly store?: string;
}

/** Options of `@Node`. */
export interface NodeOptions {
  /** Label; default: the class's name. */
  readonly label?: string;
  /** Logical store; default: 'graph'. */
  readonly store?: string;
}

/** Options of `@Relationship`. */
export interface RelationshipOptions {
  /** Type of the relationship; default: the class's name in upper snake case. */
  readonly type?: string;
  /** Logical store; default: 'graph'. */
  readonly store?: string;
}

/** Options of `@Measurement`. */
export interface MeasurementOptions {
  /** Name of the measurement; default: the class's name in snake case. */
  readonly name?: string;
  /** Logical store; default: 'timeseries'. */
  readonly store?: string;
  /** How long points are kept, like '30d' or '12h'; forever if absent. Where the store can. */
  readonly retention?: string;
}

/** A class whose instances are rows of a table. */
export function Relational(options: RelationalOptions = {}): ModelDecorator<'relational'> {
  const { table: source, ...rest } = options;
  return declareModel({ by: 'Relational', model: 'relational', kind: 'relational', ...named(source), ...rest });
}

/** A class whose instances are documents of a collection. */
export function Document(options: DocumentOptions = {}): ModelDecorator<'document'> {
  const { collection: source, ...rest } = options;
  return declareModel({ by: 'Document', model: 'document', kind: 'document', ...named(source), ...rest });
}

/** A class whose instances are nodes of a graph. */
export function Node(options: NodeOptions = {}): ModelDecorator<'graph'> {
  const { label: source, ...rest } = options;
  return declareModel({ by: 'Node', model: 'graph', kind: 'node', ...named(source), ...rest });
}

/**
 * A class whose instances are relationships of a graph, with `@From` and `@To`. Without an `@Id` it is known by its two
 * ends, and there is at most one between them.
 */
export function Relationship(options: RelationshipOptions = {}): ModelDecorator<'graph'> {
  const { type: source, ...rest } = options;
  return declareModel({ by: 'Relationship', model: 'graph', kind: 'relationship', ...named(source), ...rest });
}

/** A class whose instances are points in time, with `@Timestamp`, `@Tag` and `@Field`. */
export function Measurement(options: MeasurementOptions = {}): ModelDecorator<'timeseries'> {
  const { name: source, retention, ...rest } = options;
  return declareModel({
    by: 'Measurement',
    model: 'timeseries',
    kind: 'measurement',
    ...named(source),
    ...rest,
    ...(retention === undefined ? {} : { options: { retention } }),
  });
}

function named(source: string | undefined): { readonly source?: string } {
  return source === undefined ? {} : { source };
}

function declareModel<M extends DataModel>(declaration: ModelDeclaration): ModelDecorator<M> {
  const declare = (target: unknown, context?: unknown): void => {
    classPlace(declaration.by, target, context)?.models.push(declaration);
  };
  return declare as never;
}
