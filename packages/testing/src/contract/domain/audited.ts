/** Accounts whose changes and reads are on record: one kind with a version, and one without. */
import { Audited, type Defaults, Document, Id, optional, Property, Relational, Version } from '@storeweave/core';

export abstract class Account {
  declare readonly [optional]: Defaults<'amount'>;
  @Id() id!: string;
  @Property('string', { unique: true }) name!: string;
  @Property('integer', { default: 0 }) amount!: number;
  @Property('string', { nullable: true }) secret!: string | null;
  @Version() version!: number;
}

@Relational({ table: 'account_rows' })
@Audited({ reads: true, redact: ['secret'] })
export class RelationalAccount extends Account {}

@Document({ collection: 'account_documents' })
@Audited({ reads: true, redact: ['secret'] })
export class DocumentAccount extends Account {}

export abstract class Slip {
  @Id() id!: string;
  @Property('string') text!: string;
}

@Relational({ table: 'slip_rows' })
@Audited()
export class RelationalSlip extends Slip {}

@Document({ collection: 'slip_documents' })
@Audited()
export class DocumentSlip extends Slip {}

export const accounts = { relational: RelationalAccount, document: DocumentAccount } as const;
export const slips = { relational: RelationalSlip, document: DocumentSlip } as const;
