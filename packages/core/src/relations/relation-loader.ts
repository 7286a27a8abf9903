/** The narrow door through which a relation container reaches the unit of work that its owner belongs to. */
import type { RelationModel } from '../model/relation-model.js';

export interface RelationLoader {
  /** Loads the relation for this owner and marks the container loaded. */
  load(owner: object, relation: RelationModel): Promise<void>;
  /** Number of related entities, without loading them. */
  count(owner: object, relation: RelationModel): Promise<number>;
}
