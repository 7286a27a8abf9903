/** A specimen of every type of property, in each model: what goes in must come out. */
import { Document, Field, Id, Measurement, Node, Property, Relational, Tag, Timestamp } from '@storeweave/core';

export type Level = 'low' | 'mid' | 'high';

/** Everything nullable, so that a test sets only what it is about. */
export abstract class Specimen {
  @Id() id!: string;
  @Property('string', { nullable: true }) word!: string | null;
  @Property('string', { nullable: true, length: 8 }) short!: string | null;
  @Property('text', { nullable: true }) body!: string | null;
  @Property('integer', { nullable: true }) whole!: number | null;
  @Property('bigint', { nullable: true }) big!: bigint | null;
  @Property('float', { nullable: true }) real!: number | null;
  @Property('decimal', { nullable: true }) exact!: string | null;
  @Property('decimal', { nullable: true, precision: 12, scale: 2 }) money!: string | null;
  @Property('boolean', { nullable: true }) flag!: boolean | null;
  @Property('date', { nullable: true }) day!: string | null;
  @Property('timestamp', { nullable: true }) instant!: Date | null;
  @Property('uuid', { nullable: true }) token!: string | null;
  @Property('json', { nullable: true }) data!: unknown;
  @Property('bytes', { nullable: true }) blob!: Uint8Array | null;
  @Property('enum', { nullable: true, values: ['low', 'mid', 'high'] }) level!: Level | null;
  @Property('enum', { nullable: true, values: [1, 2, 3] }) grade!: 1 | 2 | 3 | null;
  @Property('string', {
    nullable: true,
    convert: { toStore: (url: URL) => url.href, fromStore: (text: string) => new URL(text) },
  })
  link!: URL | null;
}

export abstract class ListSpecimen {
  @Id() id!: string;
  @Property('string', { nullable: true, array: true }) words!: string[] | null;
  @Property('integer', { nullable: true, array: true }) wholes!: number[] | null;
  @Property('bigint', { nullable: true, array: true }) bigs!: bigint[] | null;
  @Property('float', { nullable: true, array: true }) reals!: number[] | null;
  @Property('decimal', { nullable: true, array: true }) exacts!: string[] | null;
  @Property('boolean', { nullable: true, array: true }) flags!: boolean[] | null;
  @Property('date', { nullable: true, array: true }) days!: string[] | null;
  @Property('timestamp', { nullable: true, array: true }) instants!: Date[] | null;
  @Property('uuid', { nullable: true, array: true }) tokens!: string[] | null;
  @Property('enum', { nullable: true, array: true, values: ['low', 'mid', 'high'] }) levels!: Level[] | null;
}

/** Instants finer than a millisecond. */
export abstract class MicroSpecimen {
  @Id() id!: string;
  @Property('timestamp', { nullable: true, precision: 'us' }) instant!: bigint | null;
}

export abstract class NanoSpecimen {
  @Id() id!: string;
  @Property('timestamp', { nullable: true, precision: 'ns' }) instant!: bigint | null;
}

@Relational({ table: 'specimens' })
export class RelationalSpecimen extends Specimen {}
@Document({ collection: 'specimen_documents' })
export class DocumentSpecimen extends Specimen {}
@Node({ label: 'specimen_nodes' })
export class NodeSpecimen extends Specimen {}

@Relational({ table: 'list_specimens' })
export class RelationalListSpecimen extends ListSpecimen {}
@Document({ collection: 'list_specimen_documents' })
export class DocumentListSpecimen extends ListSpecimen {}
@Node({ label: 'list_specimen_nodes' })
export class NodeListSpecimen extends ListSpecimen {}

@Relational({ table: 'micro_specimens' })
export class RelationalMicroSpecimen extends MicroSpecimen {}
@Document({ collection: 'micro_specimen_documents' })
export class DocumentMicroSpecimen extends MicroSpecimen {}
@Node({ label: 'micro_specimen_nodes' })
export class NodeMicroSpecimen extends MicroSpecimen {}

@Relational({ table: 'nano_specimens' })
export class RelationalNanoSpecimen extends NanoSpecimen {}
@Document({ collection: 'nano_specimen_documents' })
export class DocumentNanoSpecimen extends NanoSpecimen {}
@Node({ label: 'nano_specimen_nodes' })
export class NodeNanoSpecimen extends NanoSpecimen {}

@Measurement({ name: 'specimen_points' })
export class PointSpecimen {
  @Timestamp() at!: Date;
  @Tag() series!: string;
  @Tag('integer') channel!: number;
  @Field('float', { nullable: true }) real!: number | null;
  @Field('integer', { nullable: true }) whole!: number | null;
  @Field('bigint', { nullable: true }) big!: bigint | null;
  @Field('boolean', { nullable: true }) flag!: boolean | null;
  @Field('string', { nullable: true }) word!: string | null;
}
