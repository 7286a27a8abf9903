/**
 * A relation between two entities, whatever their stores. Every relation is one of three joins, and none of them needs
 * both sides in one store: the key is here, the key is there, or the keys are in a link entity of their own.
 */
import type { EntityModel } from './entity-model.js';
import type { Field } from './field.js';

export type RelationKind = 'many-to-one' | 'one-to-one' | 'one-to-many' | 'many-to-many' | 'related' | 'series';

/** What the property of the class holds. */
export type RelationContainer = 'ref' | 'collection' | 'series';

/** How the rows of both sides find each other; lists of fields are aligned pairwise. */
export type Join =
  /** The owner's row has the key: `fields` of the owner equal `targetFields` of the target. */
  | { readonly via: 'owner'; readonly fields: readonly Field[]; readonly targetFields: readonly Field[] }
  /** The target's row has the key: `targetFields` of the target equal `fields` of the owner. */
  | { readonly via: 'target'; readonly fields: readonly Field[]; readonly targetFields: readonly Field[] }
  /** A link entity has both keys, aligned with the ids of owner and target. */
  | {
      readonly via: 'link';
      readonly link: EntityModel;
      readonly ownerFields: readonly Field[];
      readonly targetFields: readonly Field[];
      /** `both`: the pair matches either way round (undirected relationship of a class with itself). */
      readonly direction: 'out' | 'in' | 'both';
    };

export interface RelationModel {
  /** Property of the owner's class. */
  readonly name: string;
  readonly kind: RelationKind;
  readonly container: RelationContainer;
  readonly owner: EntityModel;
  readonly target: EntityModel;
  readonly join: Join;
  /** Relation of the target that is the other side of this one, if declared. */
  readonly inverse?: RelationModel;
  readonly nullable: boolean;
  /** `persist` (default for all): adding the owner adds what it reaches. `remove`: removing the owner removes it. */
  readonly cascade: { readonly persist: boolean; readonly remove: boolean };
  /** An entity taken out of the relation is removed. */
  readonly orphanRemoval: boolean;
  /** Foreign key constraint where both sides are in one store that has them; `undefined`: none. */
  readonly onDelete?: 'restrict' | 'cascade' | 'set null';
}
