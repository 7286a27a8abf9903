/** People who know one another, places, and a user who lives in another store. */
import {
  type Collection,
  compileDomain,
  type Defaults,
  From,
  Id,
  Node,
  optional,
  Property,
  type Ref,
  Related,
  Relational,
  Relationship,
  To,
  Version,
} from '@storeweave/core';

@Node({ label: 'people' })
export class Person {
  @Id('integer') id!: number;
  @Property('string', { index: true }) name!: string;
  @Property('integer', { nullable: true }) age!: number | null;
  @Version() version!: number;
}

@Node({ label: 'places' })
export class Place {
  @Id('string') country!: string;
  @Id('integer') number!: number;
  @Property('string') name!: string;
}

@Relationship({ type: 'KNOWS' })
export class Knows {
  @Id() id!: string;
  @From(() => Person) from!: Ref<Person>;
  @To(() => Person) to!: Ref<Person>;
  @Property('integer') since!: number;
}

@Relationship({ type: 'VISITED' })
export class Visited {
  @From(() => Person) from!: Ref<Person>;
  @To(() => Place) to!: Ref<Place>;
  @Property('integer', { default: 1 }) times!: number;
  declare readonly [optional]: Defaults<'times'>;
}

@Relational({ table: 'users' })
export class User {
  @Id() id!: string;
  @Related(() => User, 'FOLLOWS') follows!: Collection<User>;
}

export const graphDomain = compileDomain([Person, Place, Knows, Visited, User]);

export function graphEntities() {
  return graphDomain.entities.filter((entity) => entity.store === 'graph');
}
