/** A list in each store that everybody appends to, and the places of one test's stores. */
import { Document, type EntityClass, Id, Node, Property, Relational, type Store, Version } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { mongodb } from '@storeweave/mongodb';
import { type Neo4jOptions, neo4j } from '@storeweave/neo4j';
import { typeorm } from '@storeweave/typeorm';

abstract class Register {
  @Id('integer') id!: number;
  /** Tokens in the order in which they were appended, each with a comma after it. */
  @Property('text') tokens!: string;
  @Version() version!: number;
}

@Relational({ table: 'registers' })
export class RowRegister extends Register {}
@Document({ collection: 'registers' })
export class DocumentRegister extends Register {}
@Node({ label: 'Register' })
export class NodeRegister extends Register {}

export const registers = { relational: RowRegister, document: DocumentRegister, graph: NodeRegister } as const;
export type Side = keyof typeof registers;

/** Keys of each side. */
export const KEYS = 3;

/** As plain data, for other processes. */
export interface Place {
  readonly sides: readonly Side[];
  /** What decides. */
  readonly by: 'typeorm' | 'embedded';
  readonly relational: string;
  readonly document: string;
  readonly graph?: Neo4jOptions;
}

export function storesAt({ sides, by, relational, document, graph }: Place): Record<string, Store> {
  return {
    relational: by === 'typeorm' ? typeorm({ url: relational }) : embedded({ url: relational }).relational,
    ...(sides.includes('document') && { document: mongodb({ url: document }) }),
    ...(sides.includes('graph') && graph !== undefined && { graph: neo4j(graph) }),
  };
}

export function entitiesAt({ sides }: Place): EntityClass[] {
  return sides.map((side) => registers[side]);
}
