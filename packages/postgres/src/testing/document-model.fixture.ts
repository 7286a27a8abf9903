/** Guides with every type of property, objects inside objects, and a smaller one with a number made by the store. */
import {
  compileDomain,
  type Defaults,
  Document,
  Embedded,
  Id,
  Index,
  ManyToOne,
  optional,
  Property,
  type Ref,
  Version,
} from '@storeweave/core';

export class Position {
  @Property('float') latitude!: number;
  @Property('float', { nullable: true }) longitude!: number | null;
}

export class Place {
  @Property('string', { nullable: true }) city!: string | null;
  @Property('string', { nullable: true }) street!: string | null;
  @Embedded(() => Position, { nullable: true }) position!: Position | null;
}

@Document({ collection: 'guides' })
@Index(['visits'])
@Index(['opened', 'title'])
export class Guide {
  @Id() id!: string;
  @Version() version!: number;
  @Property('string', { unique: true }) code!: string;
  @Property('string') title!: string;
  @Property('text', { nullable: true }) body!: string | null;
  @Property('integer', { default: 0 }) visits!: number;
  @Property('bigint', { nullable: true }) size!: bigint | null;
  @Property('float', { nullable: true }) score!: number | null;
  @Property('decimal', { nullable: true, precision: 30, scale: 10 }) price!: string | null;
  @Property('boolean', { nullable: true }) open!: boolean | null;
  @Property('date', { nullable: true, index: true }) day!: string | null;
  @Property('timestamp', { nullable: true }) opened!: Date | null;
  @Property('timestamp', { nullable: true, precision: 'us', index: true }) exact!: bigint | null;
  @Property('uuid', { nullable: true }) other!: string | null;
  @Property('json', { nullable: true }) meta!: unknown;
  @Property('bytes', { nullable: true }) raw!: Uint8Array | null;
  @Property('enum', { nullable: true, values: ['a', 'b'] }) kind!: 'a' | 'b' | null;
  @Property('string', { nullable: true, array: true }) tags!: string[] | null;
  @Property('decimal', { nullable: true, array: true }) prices!: string[] | null;
  @Property('bigint', { nullable: true, array: true }) sizes!: bigint[] | null;
  @Property('timestamp', { nullable: true, array: true }) times!: Date[] | null;
  @Property('bytes', { nullable: true, array: true }) parts!: Uint8Array[] | null;
  @Embedded(() => Place, { nullable: true }) home!: Place | null;
  declare readonly [optional]: Defaults<'visits'>;
}

@Document({ collection: 'notes' })
export class Note {
  @Id('integer', { generated: 'sequence' }) id!: number;
  @Property('string', { nullable: true }) text!: string | null;
  @ManyToOne(() => Guide) guide!: Ref<Guide>;
}

export const documentDomain = compileDomain([Guide, Note]);
