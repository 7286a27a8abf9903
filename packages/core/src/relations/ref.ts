/**
 * Holds the one related entity of a to-one relation, wherever that entity lives. A class and not a type, so that
 * emitted decorator metadata never touches the entity across a circular import. What it refers to is known in one of
 * three ways: by key (from the owner's row), by entity (set or loaded), or not at all (the far side, before loading).
 */
import { EntityNotFoundError } from '../errors/errors.js';
import type { Value } from '../model/field.js';
import { RelationContainer } from './container.js';
import { keyOfInstance } from './entity-key.js';

/** What `populate` makes of a `Ref`: its value can be read. */
export interface LoadedRef<T extends object> extends Ref<T> {
  /**
   * The related entity. Throws `EntityNotFoundError` where there is none; of a nullable relation read `get()`, which
   * then gives `null`.
   */
  readonly value: T;
}

/** What the framework may do with a `Ref` and the application may not. */
export interface RefState {
  /** Neutral key: one value, or a row for a composite key; null: none; undefined: unknown, or that of the target. */
  key(ref: Ref<object>): Value | readonly Value[] | null | undefined;
  /** The entity; null: none; undefined: not loaded. */
  target(ref: Ref<object>): object | null | undefined;
  /** Set by the application since it was loaded or flushed. */
  changed(ref: Ref<object>): boolean;
  /** Turn of the last change; of what was never changed 0. */
  turn(ref: Ref<object>): number;
  /** Sets it as the change of the other side with this turn says. */
  follow(ref: Ref<object>, target: object | null, turn: number): void;
  /** What a changed reference was before; undefined: not loaded then. */
  previous(ref: Ref<object>): object | null | undefined;
  /** What it was before has been found out. */
  recall(ref: Ref<object>, previous: object | null): void;
  /** Refers by neutral key, not loaded. */
  refer(ref: Ref<object>, key: Value | readonly Value[] | null): void;
  /** Loaded: this is the entity (null: there is none). The key stays what it was. */
  resolve(ref: Ref<object>, target: object | null): void;
  /** A flush has taken notice. */
  settle(ref: Ref<object>): void;
  /** Gives a function that puts the present state back. */
  save(ref: Ref<object>): () => void;
}

export let refState: RefState;

/**
 * A reference to one entity.
 *
 * ```ts
 * post.author.set(alice);
 * post.author.key;                       // alice's id, always known on this side
 * const author = await post.author.load();
 * ```
 */
export class Ref<T extends object> extends RelationContainer {
  /** undefined: not loaded; null: nothing there. */
  #target: T | null | undefined;
  /** Neutral key: undefined: not known, or to be read from `#target`; null: no reference; a row for a composite one. */
  #key: Value | readonly Value[] | null | undefined;
  /** True where the application set the target and no flush has taken notice. */
  #changed = false;
  #turn = 0;
  /** What it was before it was changed; undefined: not known. */
  #previous: T | null | undefined;

  /** A reference may be made before its owner is known to a unit of work: `author = new Ref(alice)`. */
  constructor(target?: T | null) {
    super();
    if (target !== undefined) {
      this.#target = target;
      this.#changed = true;
    }
  }

  get isLoaded(): boolean {
    return this.#target !== undefined;
  }

  /**
   * Key of the related entity without loading it: one value, or an object by property for a composite key. `null` for no
   * reference; `undefined` where it is not known (the far side of a one-to-one before loading, an id made at insert).
   */
  get key(): unknown {
    const relation = RelationContainer.relationOf(this);
    if (this.#key === undefined || relation === undefined) {
      if (this.#target === null) return null;
      return this.#target === undefined || relation === undefined
        ? undefined
        : keyOfInstance(relation.target, this.#target);
    }
    if (this.#key === null) return null;
    const fields = relation.join.via === 'owner' ? relation.join.targetFields : relation.target.ids;
    const [first] = fields;
    if (first === undefined) return undefined;
    if (fields.length === 1) return first.codec.identity ? this.#key : first.codec.fromRow(this.#key);
    const row = this.#key as readonly Value[];
    return Object.fromEntries(fields.map((field, at) => [field.name, field.codec.fromRow(row[at])]));
  }

  /** The related entity, or `null` if there is none. Throws `RelationNotLoadedError` before it is loaded. */
  get(): T | null {
    if (this.#target === undefined) throw this.notLoaded();
    return this.#target;
  }

  /** Refers to this entity, or to none, from the next flush on. */
  set(target: T | null): void {
    if (!this.#changed) this.#previous = this.#target;
    this.#target = target;
    this.#key = target === null ? null : undefined;
    this.#changed = true;
    this.#turn = this.touch();
  }

  /** Loads the related entity unless it is loaded; `null` if there is none. Joins the running unit of work. */
  async load(): Promise<T | null> {
    if (this.#target !== undefined) return this.#target;
    if (this.#key === null) {
      this.#target = null;
      return null;
    }
    const { owner, relation, loader } = this.requireBinding('load');
    await loader.load([owner], relation);
    return this.get();
  }

  protected serialize(ancestors: readonly object[]): unknown {
    if (this.#target === undefined) return this.key;
    if (this.#target === null) return null;
    return RelationContainer.entityToJson(this.#target, ancestors, () => this.key);
  }

  static {
    Object.defineProperty(Ref.prototype, 'value', {
      configurable: true,
      get(this: Ref<object>): object {
        const target = this.get();
        if (target !== null) return target;
        const relation = RelationContainer.relationOf(this);
        throw new EntityNotFoundError(
          `${relation?.owner.name ?? 'The owner'}.${relation?.name ?? 'relation'} refers to ${
            this.key === null ? 'nothing' : 'an entity that does not exist'
          }; read get(), which is null then, where that is expected.`,
          relation === undefined ? {} : { entity: relation.owner.name, property: relation.name, key: this.key },
        );
      },
    });
    refState = {
      key: (ref) => ref.#key,
      target: (ref) => ref.#target,
      changed: (ref) => ref.#changed,
      turn: (ref) => (ref.#changed ? ref.#turn : 0),
      follow(ref, target, turn) {
        ref.set(target);
        ref.#turn = turn;
      },
      previous: (ref) => ref.#previous,
      recall(ref, previous) {
        ref.#previous = previous;
      },
      refer(ref, key) {
        ref.#key = key;
        ref.#target = key === null ? null : undefined;
        ref.#changed = false;
        ref.#previous = undefined;
      },
      resolve(ref, target) {
        ref.#target = target;
        ref.#changed = false;
        ref.#previous = undefined;
      },
      settle(ref) {
        ref.#changed = false;
        ref.#previous = undefined;
      },
      save(ref) {
        const target = ref.#target;
        const key = ref.#key;
        const changed = ref.#changed;
        const previous = ref.#previous;
        const turn = ref.#turn;
        return () => {
          ref.#turn = turn;
          ref.#target = target;
          ref.#key = key;
          ref.#changed = changed;
          ref.#previous = previous;
        };
      },
    };
  }
}
