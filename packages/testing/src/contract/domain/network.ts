/** Depots and the roads between them: the suite's graph. */
import {
  type Collection,
  type Defaults,
  From,
  Id,
  identity,
  Node,
  optional,
  Property,
  type Ref,
  Related,
  Relationship,
  To,
} from '@storeweave/core';
import { Customer } from './shop.js';

@Node({ label: 'depots' })
export class Depot {
  declare readonly [identity]: 'code';
  declare readonly [optional]: Defaults<'capacity'>;
  @Id('string') code!: string;
  @Property('string') city!: string;
  @Property('integer', { default: 0 }) capacity!: number;
  @Related(() => Depot, 'ROAD') next!: Collection<Depot>;
}

@Relationship({ type: 'ROAD' })
export class Road {
  declare readonly [optional]: Defaults<'open'>;
  @Id() id!: string;
  @From(() => Depot) from!: Ref<Depot>;
  @To(() => Depot) to!: Ref<Depot>;
  @Property('integer') km!: number;
  @Property('boolean', { default: true }) open!: boolean;
}

/** From a place in the graph to someone in another store. */
@Relationship({ type: 'DELIVERS_TO' })
export class Delivery {
  @Id() id!: string;
  @From(() => Depot) from!: Ref<Depot>;
  @To(() => Customer) to!: Ref<Customer>;
  @Property('integer') days!: number;
}
