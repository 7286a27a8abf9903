/** What the parts of one class are adopted with. */
import type { EntityMetadata } from 'typeorm';

/** TypeORM does not export its name. */
export type ColumnMetadata = EntityMetadata['columns'][number];

export interface Adoption {
  readonly metadata: EntityMetadata;
  /** Classes that are entities of Storeweave. */
  readonly adopted: ReadonlySet<unknown>;
  /** Notes what cannot be adopted, with the property by its path. */
  readonly report: (message: string, property?: string) => void;
}
