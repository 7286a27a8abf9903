/**
 * Money that goes from one account to another, in four data models: the accounts are rows, both balances side by side are
 * a document, who paid whom is a graph, and every payment is a point in time.
 */
import {
  Document,
  Field,
  From,
  Id,
  Measurement,
  Property,
  type Ref,
  Relational,
  Relationship,
  Tag,
  Timestamp,
  To,
  Version,
} from '@storeweave/core';

@Relational({ table: 'accounts' })
export class Account {
  @Id() id!: string;
  @Property('string') owner!: string;
  @Property('integer') cents!: number;
  @Version() version!: number;
}

export interface Balance {
  readonly owner: string;
  readonly cents: number;
}

/** What both of them see on one page. */
@Document({ collection: 'ledgers' })
export class Ledger {
  @Id() id!: string;
  @Property('json') balances!: readonly Balance[];
  @Version() version!: number;
}

@Relationship({ type: 'PAID' })
export class Payment {
  @Id() id!: string;
  @From(() => Account) from!: Ref<Account>;
  @To(() => Account) to!: Ref<Account>;
  @Property('integer') cents!: number;
}

@Measurement({ name: 'payments' })
export class PaymentPoint {
  @Timestamp() at!: Date;
  @Tag('uuid') payment!: string;
  @Field('integer') cents!: number;
}

export const ENTITIES = [Account, Ledger, Payment, PaymentPoint];
