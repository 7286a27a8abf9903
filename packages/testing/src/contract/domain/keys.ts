/** Every kind of identity: made by the store, natural, composite, and one that is partly a reference. */
import {
  type Collection,
  type Defaults,
  Document,
  Id,
  identity,
  ManyToOne,
  Node,
  OneToMany,
  optional,
  Property,
  type Ref,
  Relational,
  Version,
} from '@storeweave/core';

export abstract class Ticket {
  declare readonly [identity]: 'number';
  declare readonly [optional]: Defaults<'number'>;
  @Id('integer', { generated: 'sequence' }) number!: number;
  @Property('string') subject!: string;
}
@Relational({ table: 'tickets' })
export class RelationalTicket extends Ticket {}
@Document({ collection: 'ticket_documents' })
export class DocumentTicket extends Ticket {}
@Node({ label: 'ticket_nodes' })
export class NodeTicket extends Ticket {}

/** A reply to a ticket whose key is made at insert: the reference is known only then. */
@Relational({ table: 'replies' })
export class Reply {
  declare readonly [identity]: 'number';
  declare readonly [optional]: Defaults<'number'>;
  @Id('bigint', { generated: 'sequence' }) number!: bigint;
  @ManyToOne(() => RelationalTicket) ticket!: Ref<RelationalTicket>;
  @Property('string') text!: string;
}

export abstract class Country {
  declare readonly [identity]: 'code';
  @Id('string') code!: string;
  @Property('string') name!: string;
  @Version() version!: number;
}
@Relational({ table: 'countries' })
export class RelationalCountry extends Country {}
@Document({ collection: 'country_documents' })
export class DocumentCountry extends Country {}
@Node({ label: 'country_nodes' })
export class NodeCountry extends Country {}

export abstract class Shelf {
  declare readonly [identity]: 'hall' | 'row';
  declare readonly [optional]: Defaults<'load'>;
  @Id('string') hall!: string;
  @Id('integer') row!: number;
  @Property('string') label!: string;
  @Property('integer', { default: 0 }) load!: number;
  @Version() version!: number;
}

@Relational({ table: 'shelves' })
export class RelationalShelf extends Shelf {
  @OneToMany(
    () => Crate,
    (crate) => crate.shelf,
  )
  crates!: Collection<Crate>;
}
@Document({ collection: 'shelf_documents' })
export class DocumentShelf extends Shelf {}
@Node({ label: 'shelf_nodes' })
export class NodeShelf extends Shelf {}

/** Refers to a composite key. */
@Relational({ table: 'crates' })
export class Crate {
  @Id() id!: string;
  @Property('string') content!: string;
  @ManyToOne(() => RelationalShelf, { nullable: true }) shelf!: Ref<RelationalShelf>;
}
