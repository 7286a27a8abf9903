/**
 * What is known about an instance beside itself: its class's model, the row it came from, and which unit of work has it.
 * Invisible from the instance, which stays a plain object of the user's class; two units of work, one after the other,
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
  /** Its position among the new rows of the flush that is being put together. */
  position = -1;

  constructor(
    readonly model: EntityModel,
    readonly instance: object,
    public status: EntityStatus,
    /** As it was last read or written, aligned with `model.fields`; never changed in place. */
    public row: Row | undefined,
    public holder: EntityHolder | undefined,
  ) {
    Stamp.write(instance, this);
  }
}

export function stateOf(instance: object): EntityState | undefined {
  return Stamp.read(instance);
}

/** Returns what it is given, so that a subclass's private field lands on an object of another class. */
class Onto {
  constructor(instance: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is what makes the object carry the field.
    return instance;
  }
}

/**
 * Keeps the state in a private field of the instance. Nobody else can see or reach it, not by enumeration, reflection or
 * copying; and unlike a WeakMap of many thousand entries it costs the garbage collector nothing.
 */
class Stamp extends Onto {
  #state: EntityState;

  private constructor(instance: object, state: EntityState) {
    super(instance);
    this.#state = state;
  }

  static write(instance: object, state: EntityState): void {
    if (#state in instance) instance.#state = state;
    else new Stamp(instance, state);
  }

  static read(instance: object): EntityState | undefined {
    return #state in instance ? instance.#state : undefined;
  }
}
