/**
 * What is known about an instance beside itself: its class's model, the row it came from, and which unit of work has it.
 * Kept outside of the instance, which stays a plain object of the user's class; two units of work, one after the other,
 * can therefore have the same object.
 */
import type { IdentityKey } from '../hydrate/identity-key.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';

/**
 * `new`: not stored; `managed`: as stored, or changed since; `removed`: to be deleted by the next flush; `deleted`: the
 * deletion is written.
 */
export type EntityStatus = 'new' | 'managed' | 'removed' | 'deleted';

/** Whoever has an instance at present. */
export interface EntityHolder {
  /** True while no other unit of work may take the instance over. */
  readonly holds: boolean;
}

export class EntityState {
  /** Where the identity map has it. */
  key: IdentityKey | undefined = undefined;

  constructor(
    readonly model: EntityModel,
    readonly instance: object,
    public status: EntityStatus,
    /** As it was last read or written, aligned with `model.fields`; never changed in place. */
    public row: Row | undefined,
    public holder: EntityHolder | undefined,
  ) {
    states.set(instance, this);
  }
}

const states = new WeakMap<object, EntityState>();

export function stateOf(instance: object): EntityState | undefined {
  return states.get(instance);
}
