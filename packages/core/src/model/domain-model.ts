/** All entities of one `open()`, validated together and frozen. */
import type { EntityClass, EntityModel } from './entity-model.js';

export interface DomainModel {
  /** User entities and the hidden link entities, in the order of declaration. */
  readonly entities: readonly EntityModel[];
  /** The model of a class. Throws `ConfigurationError` naming the class if it was not given to `open()`. */
  of(target: EntityClass): EntityModel;
  byName(name: string): EntityModel | undefined;
}
