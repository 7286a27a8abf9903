/**
 * Where the containers of plain relations are: in a private field of the instance, because its properties hold the
 * entities themselves. Apart from `plain.ts`, so that what lies below the containers can look here, too.
 */
import type { RelationBinding } from './relation-loader.js';

/** Containers by relation; those of the far side are only made when somebody asks. */
export interface Slots {
  bindings: readonly RelationBinding[];
  readonly containers: Record<string, object | undefined>;
}

export function slotsOf(instance: object): Slots | undefined {
  return Stamp.read(instance);
}

export function setSlots(instance: object, slots: Slots): void {
  Stamp.write(instance, slots);
}

/** The container of a plain relation, if there is one yet. */
export function slotOf(instance: object, relation: string): object | undefined {
  return Stamp.read(instance)?.containers[relation];
}

/** Returns what it is given, so that a subclass's private field lands on an object of another class. */
class Onto {
  constructor(instance: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is what makes the object carry the field.
    return instance;
  }
}

/** As for the state of an entity: a private field costs the garbage collector nothing, a WeakMap of many thousand does. */
class Stamp extends Onto {
  #slots: Slots;

  private constructor(instance: object, slots: Slots) {
    super(instance);
    this.#slots = slots;
  }

  static write(instance: object, slots: Slots): void {
    if (#slots in instance) instance.#slots = slots;
    else new Stamp(instance, slots);
  }

  static read(instance: object): Slots | undefined {
    return #slots in instance ? instance.#slots : undefined;
  }
}
