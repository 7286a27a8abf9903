/**
 * What the crash run works on: in every store the same few rows, so that units of work get into each other's way. A slot
 * keeps the units that changed it in a text, in their order; a mark is a row of one unit alone. Both together tell what
 * became of any unit, also where a slot was deleted since.
 */
import {
  Audited,
  Document,
  type EntityClass,
  Field,
  From,
  Id,
  Measurement,
  Node,
  Property,
  type Ref,
  Relational,
  Relationship,
  Tag,
  Timestamp,
  To,
  Version,
} from '@storeweave/core';

/** Logical stores. `relational` decides; `archive` is a second PostgreSQL database, which takes part by preparing. */
export const STORES = ['relational', 'archive', 'document', 'graph', 'timeseries'] as const;
export type StoreName = (typeof STORES)[number];
/** Stores with rows that change. */
export type RowStore = Exclude<StoreName, 'timeseries'>;

/** Slots of each store. */
export const SLOTS = 8;
/** Counters of each store, on two shelves; they are never deleted. */
export const COUNTERS = 4;
export const SHELVES = 2;
/** Nodes that relationships are hung on; they are never deleted. */
export const HUBS = 4;

abstract class Slot {
  @Id('integer') id!: number;
  /** Units that changed it, in their order, with commas between. */
  @Property('text') units!: string;
  @Property('string', { unique: true }) name!: string;
  @Version() version!: number;
}

/** For what is changed without being read: numbers that are added to, and shelves whose counters change together. */
abstract class Counter {
  @Id('integer') id!: number;
  @Property('integer') shelf!: number;
  @Property('integer') total!: number;
  /** Unit that changed its shelf last. */
  @Property('string', { nullable: true }) last!: string | null;
  @Version() version!: number;
}

abstract class Mark {
  @Id('string') id!: string;
  @Property('integer') round!: number;
}

@Relational({ table: 'accounts' })
@Audited()
export class Account extends Slot {}
@Relational({ table: 'account_marks' })
export class AccountMark extends Mark {}
@Relational({ table: 'account_counters' })
@Audited()
export class AccountCounter extends Counter {}

@Relational({ table: 'ledgers', store: 'archive' })
export class Ledger extends Slot {}
@Relational({ table: 'ledger_marks', store: 'archive' })
export class LedgerMark extends Mark {}
@Relational({ table: 'ledger_counters', store: 'archive' })
export class LedgerCounter extends Counter {}

@Document({ collection: 'profiles' })
@Audited()
export class Profile extends Slot {}
@Document({ collection: 'profile_marks' })
export class ProfileMark extends Mark {}
@Document({ collection: 'profile_counters' })
@Audited()
export class ProfileCounter extends Counter {}

@Node({ label: 'Person' })
export class Person extends Slot {}
@Node({ label: 'PersonMark' })
export class PersonMark extends Mark {}
@Node({ label: 'PersonCounter' })
export class PersonCounter extends Counter {}
@Node({ label: 'Hub' })
export class Hub {
  @Id('integer') id!: number;
}
@Relationship({ type: 'LINK' })
export class Link {
  @Id('string') id!: string;
  @From(() => Hub) from!: Ref<Hub>;
  @To(() => Hub) to!: Ref<Hub>;
  @Property('integer') round!: number;
}

@Measurement({ name: 'visits' })
export class Visit {
  @Timestamp() at!: Date;
  @Tag() unit!: string;
  @Tag('integer') n!: number;
  @Field('integer') round!: number;
}

/** Classes of the slots, marks and counters of a store. */
export const rowsOf = {
  relational: { slot: Account, mark: AccountMark, counter: AccountCounter },
  archive: { slot: Ledger, mark: LedgerMark, counter: LedgerCounter },
  document: { slot: Profile, mark: ProfileMark, counter: ProfileCounter },
  graph: { slot: Person, mark: PersonMark, counter: PersonCounter },
} as const;

/** Stores whose slots and counters are audited, and their names in the records. */
export const AUDITED: Partial<Record<StoreName, { readonly slot: string; readonly counter: string }>> = {
  relational: { slot: 'Account', counter: 'AccountCounter' },
  document: { slot: 'Profile', counter: 'ProfileCounter' },
};

/** Classes that live in these stores. */
export function entitiesIn(stores: readonly StoreName[]): EntityClass[] {
  return stores.flatMap((store): EntityClass[] => {
    if (store === 'timeseries') return [Visit];
    const { slot, mark, counter } = rowsOf[store];
    return store === 'graph' ? [slot, mark, counter, Hub, Link] : [slot, mark, counter];
  });
}
