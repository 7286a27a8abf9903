/**
 * What an online move keeps in the store that an entity leaves: how far it is, the gate that every writer passes, and the
 * log of what writers have touched. Ordinary entities, so that any store with transactions can keep them.
 */
import { p } from '../../decorators/builders.js';
import { defineEntity } from '../../decorators/define-entity.js';
import { compileDomain } from '../../metadata/compile.js';
import type { EntityModel } from '../../model/entity-model.js';

/** How far a move is. A store has three tables (or collections) for all moves out of it. */
export interface GateTables {
  /** One row for each move: written by the mover alone, and read by all. */
  readonly moves: EntityModel;
  /** One or more rows for each move, which writers lock or touch in their own transactions. */
  readonly gates: EntityModel;
  /** One row for each key that a writer has touched since the copy began. */
  readonly changes: EntityModel;
}

/** `model` is that of the entity that leaves: what its store can certainly keep. */
export function gateTables(model: 'relational' | 'document', store: string): GateTables {
  const source = (what: string) => {
    const name = `storeweave_${model === 'document' ? 'document_' : ''}${what}`;
    return model === 'document' ? { collection: name } : { table: name };
  };
  class StoreweaveMove extends defineEntity({
    name: 'StoreweaveMove',
    model,
    store,
    ...source('moves'),
    props: {
      id: p.id('string', { length: 200 }),
      announces: p.string({ length: 20 }),
      mover: p.string({ length: 50, nullable: true }),
      lease: p.integer(),
      copied: p.text({ nullable: true }),
      version: p.version(),
    },
  }) {}
  class StoreweaveMoveGate extends defineEntity({
    name: 'StoreweaveMoveGate',
    model,
    store,
    ...source('move_gates'),
    props: {
      id: p.id('string', { length: 220 }),
      state: p.string({ length: 20 }),
      touched: p.integer(),
      version: p.version(),
    },
  }) {}
  class StoreweaveMoveChange extends defineEntity({
    name: 'StoreweaveMoveChange',
    model,
    store,
    ...source('move_changes'),
    props: { id: p.id(), move: p.string({ length: 200 }), entity: p.string({ length: 200 }), key: p.text() },
  }) {}
  const domain = compileDomain([StoreweaveMove, StoreweaveMoveGate, StoreweaveMoveChange]);
  return {
    moves: domain.of(StoreweaveMove),
    gates: domain.of(StoreweaveMoveGate),
    changes: domain.of(StoreweaveMoveChange),
  };
}
