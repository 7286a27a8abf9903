/** Audited entities of every kind that makes a difference: with and without a version, with made ids, and as documents. */
import {
  Audited,
  AuditLog,
  type Collection,
  DataAccessLog,
  type Defaults,
  Document,
  Embedded,
  Id,
  ManyToMany,
  optional,
  Property,
  Relational,
  SoftDelete,
  type Storeweave,
  UpdatedAt,
  Version,
} from '@storeweave/core';

class Address {
  @Property('string') city!: string;
  @Property('string', { nullable: true }) zip!: string | null;
}

@Relational()
export class Role {
  @Id() id!: string;
  @Property('string', { unique: true }) name!: string;
}

@Relational()
@Audited({ redact: ['taxNumber', 'home.zip'] })
export class Patient {
  declare readonly [optional]: Defaults<'visits' | 'balance'>;
  @Id() id!: string;
  @Property('string', { unique: true }) name!: string;
  @Property('string', { nullable: true }) taxNumber!: string | null;
  @Property('integer', { default: 0 }) visits!: number;
  @Property('decimal', { precision: 12, scale: 2, default: '0.00' }) balance!: string;
  @Embedded(() => Address, { nullable: true }) home!: Address | null;
  @Version() version!: number;
  @UpdatedAt() updatedAt!: Date;
  @ManyToMany(() => Role) roles!: Collection<Role>;
}

/** Without a version: what is stored is only known when it is looked at. */
@Relational()
@Audited({ reads: true, redact: ['text'] })
export class Finding {
  @Id('integer', { generated: 'sequence' }) id!: number;
  @Property('string') title!: string;
  @Property('text') text!: string;
}

@Relational()
@Audited({ only: ['title', 'closedAt'] })
export class Case {
  @Id() id!: string;
  @Property('string') title!: string;
  @Property('integer', { nullable: true }) rank!: number | null;
  @SoftDelete() closedAt!: Date | null;
}

@Document()
@Audited()
export class Letter {
  declare readonly [optional]: Defaults<'labels' | 'copies'>;
  @Id() id!: string;
  @Property('string') subject!: string;
  @Property('integer', { default: 0 }) copies!: number;
  @Property('string', { array: true, default: () => [] }) labels!: string[];
  @Property('json', { nullable: true }) data!: unknown;
  @Version() version!: number;
}

export const audited = [Role, Patient, Finding, Case, Letter];

/** All records of changes, oldest first. */
export async function records(weave: Storeweave, entity?: string): Promise<AuditLog[]> {
  const where = entity === undefined ? {} : { entity };
  return weave.repository(AuditLog).find({ where, orderBy: { id: 'asc' } });
}

/** What they say in short: `update 1 {"title":"a"} {"title":"b"}`. */
export async function history(weave: Storeweave, entity: string): Promise<string[]> {
  return (await records(weave, entity)).map(
    ({ operation, before, after }) => `${operation} ${JSON.stringify(before)} ${JSON.stringify(after)}`,
  );
}

/** All records of reads, once they are written. */
export async function reads(weave: Storeweave): Promise<DataAccessLog[]> {
  await weave.accessLog?.flush();
  return weave.repository(DataAccessLog).find({ orderBy: { id: 'asc' } });
}
