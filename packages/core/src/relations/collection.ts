/**
 * Holds the related entities of a to-many relation, wherever they live. Until it is loaded it knows nothing but what
 * was added and removed; both are kept as pending changes, which the next flush turns into references or links. Inner
 * state is made on first use: most collections of most loaded entities are never touched.
 */
import { InvalidValueError } from '../errors/errors.js';
import { RelationContainer } from './container.js';
import { keyOfInstance } from './entity-key.js';

/** What `populate` makes of a `Collection`: its items can be read. */
export interface LoadedCollection<T extends object> extends Collection<T>, Iterable<T> {
  readonly items: readonly T[];
  readonly length: number;
}

interface State<T> {
  /** Loaded items with pending changes applied. */
  items: T[] | undefined;
  /** False where only some of the stored items were loaded (populate with a filter or limit). */
  complete: boolean;
  readonly added: Set<T>;
  readonly removed: Set<T>;
  /** Everything stored that is not in `added` is to be taken out; the flush has to load it first. */
  replaced: boolean;
}

/** Changes that no flush has written. */
export interface PendingItems {
  readonly added: ReadonlySet<object>;
  readonly removed: ReadonlySet<object>;
  readonly replaced: boolean;
}

/** What the framework may do with a `Collection` and the application may not. */
export interface CollectionState {
  /** Changes to write; undefined if there are none. */
  pending(collection: Collection<object>): PendingItems | undefined;
  /** Items in memory; undefined: not loaded. */
  items(collection: Collection<object>): readonly object[] | undefined;
  /** Loaded, and nothing stored is missing from it. */
  isComplete(collection: Collection<object>): boolean;
  /** Loaded: these are the stored items, all of them if `complete` (default). Pending changes are applied on top. */
  resolve(collection: Collection<object>, stored: readonly object[], complete?: boolean): void;
  /** The owner is new: nothing can be stored, so it is loaded, with what was added. */
  initialize(collection: Collection<object>): void;
  /** A flush has written the pending changes. */
  settle(collection: Collection<object>): void;
  /** Pending changes are given up. */
  discard(collection: Collection<object>): void;
  /** Gives a function that puts the present state back. */
  save(collection: Collection<object>): () => void;
}

export let collectionState: CollectionState;

/**
 * A set of related entities.
 *
 * ```ts
 * user.posts.add(post);                  // no query
 * await user.posts.load();
 * for (const post of user.posts.get()) …
 * ```
 */
export class Collection<T extends object> extends RelationContainer {
  #state: State<T> | undefined;

  /** A collection may be made before its owner is known to a unit of work: `posts = new Collection<Post>()`. */
  constructor(items?: Iterable<T>) {
    super();
    if (items !== undefined) this.add(...items);
  }

  get isLoaded(): boolean {
    return this.#state?.items !== undefined;
  }

  /** Adds entities; those that are in it already are passed over. Written by the next flush. */
  add(...entities: readonly T[]): void {
    const state = this.#open();
    this.touch();
    for (const entity of entities) {
      this.#check(entity);
      if (state.items?.includes(entity) === true && !state.removed.has(entity)) continue;
      if (!state.removed.delete(entity)) state.added.add(entity);
      state.items?.push(entity);
    }
  }

  /** Takes entities out; without loading, it is for the flush to find that one was never in it. */
  remove(...entities: readonly T[]): void {
    const state = this.#open();
    this.touch();
    for (const entity of entities) {
      this.#check(entity);
      const at = state.items?.indexOf(entity) ?? -1;
      if (at >= 0) state.items?.splice(at, 1);
      if (!state.added.delete(entity) && !(at < 0 && this.#isWhole(state))) state.removed.add(entity);
    }
  }

  /** Makes these its only entities. Where it is not loaded, the flush loads what is stored to know what to take out. */
  set(entities: Iterable<T>): void {
    const state = this.#open();
    this.touch();
    const wanted = new Set(entities);
    if (this.#isWhole(state) && state.items !== undefined) {
      this.remove(...state.items.filter((item) => !wanted.has(item)));
      this.add(...wanted);
      return;
    }
    for (const entity of wanted) this.#check(entity);
    state.added.clear();
    state.removed.clear();
    for (const entity of wanted) state.added.add(entity);
    state.items = [...wanted];
    state.replaced = true;
  }

  /** Its entities. Throws `RelationNotLoadedError` before it is loaded. */
  get(): readonly T[] {
    if (this.#state?.items === undefined) {
      if (this.owner !== undefined) throw this.notLoaded();
      return [...this.#open().added];
    }
    return this.#state.items;
  }

  /** Loads it unless it is loaded whole; pending changes stay. Joins the running unit of work. */
  async load(): Promise<readonly T[]> {
    if (this.#state?.items !== undefined && this.#state.complete) return this.#state.items;
    const { owner, relation, loader } = this.requireBinding('load');
    await loader.load([owner], relation);
    return this.get();
  }

  /** Number of its entities; asks the store where it is not loaded, without loading it. */
  async count(): Promise<number> {
    if (this.#state?.items !== undefined && this.#state.complete) return this.#state.items.length;
    const { owner, relation, loader } = this.requireBinding('count');
    return loader.count(owner, relation);
  }

  protected serialize(ancestors: readonly object[]): unknown {
    if (this.owner !== undefined && !this.isLoaded) return undefined;
    const target = RelationContainer.relationOf(this)?.target;
    return this.get().map((item) =>
      RelationContainer.entityToJson(item, ancestors, (entity) =>
        target === undefined ? undefined : keyOfInstance(target, entity),
      ),
    );
  }

  #open(): State<T> {
    this.#state ??= { items: undefined, complete: false, added: new Set(), removed: new Set(), replaced: false };
    return this.#state;
  }

  /** Whether `items` is all there is, so that what is not in it is not stored either. */
  #isWhole(state: State<T>): boolean {
    return state.items !== undefined && (state.complete || state.replaced);
  }

  #check(entity: unknown): void {
    if (typeof entity === 'object' && entity !== null) return;
    const relation = RelationContainer.relationOf(this);
    throw new InvalidValueError(
      `${relation?.owner.name ?? 'A'}.${relation?.name ?? 'collection'} takes entities, not ${String(entity)}. Find the entity by its key first, or set the reference on the other side.`,
      relation === undefined ? {} : { entity: relation.owner.name, property: relation.name },
    );
  }

  static {
    Object.defineProperties(this.prototype, {
      items: {
        configurable: true,
        get(this: Collection<object>) {
          return this.get();
        },
      },
      length: {
        configurable: true,
        get(this: Collection<object>) {
          return this.get().length;
        },
      },
      [Symbol.iterator]: {
        configurable: true,
        writable: true,
        value(this: Collection<object>) {
          return this.get()[Symbol.iterator]();
        },
      },
    });
    collectionState = {
      pending(collection) {
        const state = collection.#state;
        if (state === undefined) return undefined;
        return state.added.size === 0 && state.removed.size === 0 && !state.replaced ? undefined : state;
      },
      items: (collection) => collection.#state?.items,
      isComplete: (collection) => collection.#state?.items !== undefined && collection.#state.complete,
      resolve(collection, stored, complete = true) {
        const state = collection.#open();
        if (state.replaced) {
          for (const item of stored) if (!state.added.delete(item)) state.removed.add(item);
          if (complete) state.replaced = false;
        } else {
          state.items = stored.filter((item) => !state.removed.has(item));
          for (const item of state.added) {
            if (state.items.includes(item)) state.added.delete(item);
            else state.items.push(item);
          }
        }
        state.complete = complete;
      },
      initialize(collection) {
        const state = collection.#open();
        state.items = [...state.added];
        state.complete = true;
        state.replaced = false;
        state.removed.clear();
      },
      settle(collection) {
        collection.#state?.added.clear();
        collection.#state?.removed.clear();
      },
      discard(collection) {
        const state = collection.#state;
        if (state === undefined) return;
        // Replaced unseen: what is stored is not known, so it counts as not loaded.
        if (state.replaced) state.items = undefined;
        else if (state.items !== undefined) {
          state.items = state.items.filter((item) => !state.added.has(item));
          state.items.push(...state.removed);
        }
        state.added.clear();
        state.removed.clear();
        state.replaced = false;
      },
      save(collection) {
        const state = collection.#state;
        if (state === undefined) {
          return () => {
            collection.#state = undefined;
          };
        }
        const kept = {
          ...state,
          items: state.items === undefined ? undefined : [...state.items],
          added: new Set(state.added),
          removed: new Set(state.removed),
        };
        return () => {
          collection.#state = kept;
        };
      },
    };
  }
}
