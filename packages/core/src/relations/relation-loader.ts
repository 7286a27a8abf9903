/**
 * The narrow doors between a relation container and the unit of work that its owner belongs to. Containers ask through
 * them and know nothing of sessions; whoever loads (populate) answers by resolving the containers of all owners at once,
 * so that a level of a relation costs one query however many owners it has.
 */
import type { RelationModel } from '../model/entity-model.js';

/** Which points of a series to read, by their time. */
export interface SeriesRange {
  /** From (included). */
  readonly from?: Date | bigint;
  /** To (excluded). */
  readonly to?: Date | bigint;
  /** By time; default `asc`. */
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
}

export interface RelationLoader {
  /** Loads the relation for these owners and resolves their containers. */
  load(owners: readonly object[], relation: RelationModel): Promise<void>;
  /** Number of related entities, without loading them. */
  count(owner: object, relation: RelationModel): Promise<number>;
  /** Points of a series in a range of time, without resolving the container. */
  range(owner: object, relation: RelationModel, range: SeriesRange): Promise<object[]>;
}

/** What all containers of one relation in one unit of work share. */
export interface RelationBinding {
  readonly relation: RelationModel;
  readonly loader: RelationLoader;
  /** Told of every container that the application changes, so that a flush need not look at all of them. */
  readonly touched: { add(container: object): unknown };
  /** Told of every container of which the application holds an array that it may change. */
  readonly lent?: { add(container: object): unknown };
}
