/** How the tests of mistakes make them and read what is reported. */
import {
  CreatedAt,
  compileDomain,
  Embedded,
  type EntityClass,
  Id,
  Index,
  ManyToOne,
  MetadataError,
  OneToMany,
  OneToOne,
  Property,
  Relational,
  Series,
  Sharded,
  SoftDelete,
  Tag,
  Unique,
  Version,
} from '../index.js';

type Loose = (...args: unknown[]) => (target: unknown, at: unknown) => void;

/** The decorators without their types, as a JavaScript user has them. */
export const js = {
  CreatedAt,
  Embedded,
  Id,
  Index,
  ManyToOne,
  OneToMany,
  OneToOne,
  Property,
  Series,
  Sharded,
  SoftDelete,
  Tag,
  Unique,
  Version,
} as unknown as Record<
  | 'CreatedAt'
  | 'Embedded'
  | 'Id'
  | 'Index'
  | 'ManyToOne'
  | 'OneToMany'
  | 'OneToOne'
  | 'Property'
  | 'Series'
  | 'Sharded'
  | 'SoftDelete'
  | 'Tag'
  | 'Unique'
  | 'Version',
  Loose
>;

/** `Class.property: message` of each problem. */
export function mistakes(...entities: unknown[]): string[] {
  try {
    compileDomain(entities as EntityClass[]);
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    return error.problems.map((m) => `${m.entity}${m.property === undefined ? '' : `.${m.property}`}: ${m.message}`);
  }
  return [];
}

@Relational()
export class User {
  @Id() id!: string;
  @Property('string') name!: string;
}
