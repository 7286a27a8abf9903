/** The bank that the crash run works on: every transfer touches all four models. */
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
  @Id('integer') id!: number;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

@Document({ collection: 'receipts' })
export class Receipt {
  @Id() id!: string;
  @Property('integer') from!: number;
  @Property('integer') to!: number;
  @Property('integer') amount!: number;
}

@Relationship({ type: 'PAID' })
export class Payment {
  @Id() id!: string;
  @From(() => Account) from!: Ref<Account>;
  @To(() => Account) to!: Ref<Account>;
  @Property('integer') amount!: number;
}

@Measurement({ name: 'movements' })
export class Movement {
  @Timestamp() at!: Date;
  @Tag() transfer!: string;
  @Tag('integer') account!: number;
  @Field('integer') amount!: number;
}

export const entities = [Account, Receipt, Payment, Movement];

export const ACCOUNTS = 8;
export const OPENING_BALANCE = 1_000;
