/** One small entity for each engine: a commit writes one of each of the first two, three or four. */
import { Document, Field, Id, Measurement, Node, Property, Relational, Tag, Timestamp } from '@storeweave/core';

@Relational({ table: 'purchases' })
export class Purchase {
  @Id() id!: string;
  @Property('string') buyer!: string;
  @Property('integer') cents!: number;
}

@Document({ collection: 'receipts' })
export class Receipt {
  @Id() id!: string;
  @Property('string') buyer!: string;
  @Property('integer') cents!: number;
}

@Node({ label: 'Sale' })
export class Sale {
  @Id() id!: string;
  @Property('string') buyer!: string;
  @Property('integer') cents!: number;
}

@Measurement({ name: 'sales' })
export class SalePoint {
  @Timestamp() at!: Date;
  @Tag('uuid') sale!: string;
  @Field('integer') cents!: number;
}

export const entities = [Purchase, Receipt, Sale, SalePoint];

/** What one commit writes. */
export interface Sold {
  readonly id: string;
  readonly at: Date;
  readonly buyer: string;
  readonly cents: number;
}
