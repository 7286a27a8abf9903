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
  pending: Pending<T> | undefined;
}

interface Pending<T> {
  /** With the turn of each change. */
  readonly added: Map<T, number>;
  readonly removed: Map<T, number>;
  /** Everything stored that is not in `added` is to be taken out; the flush has to load it first. */
  replaced: boolean;
  /** Of the removed ones, those that were not seen in it: perhaps never there, perhaps put in from the other side. */
  unseen?: Set<T> | undefined;
  /** Of the added ones, those that were in it already and were added again. */
  again?: Set<T> | undefined;
  /** Turn in which it was replaced. */
  turn?: number | undefined;
}

/** Changes that no flush has written. */
export interface PendingItems {
  /** With the turn of each change: where the other side says something else, the later one holds. */
  readonly added: ReadonlyMap<object, number>;
  readonly removed: ReadonlyMap<object, number>;
  readonly replaced: boolean;
  /** Of the added ones, those that were in it already. */
  readonly again?: ReadonlySet<object> | undefined;
  /** Of the removed ones, those that were not seen in it. */
  readonly unseen?: ReadonlySet<object> | undefined;
}

/** State of the collections of all new owners, until they are used. */
const EMPTY: State<never> = Object.freeze({ items: [], complete: true, pending: undefined });

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
  /** The other side has put this item in or taken it out, and a flush has written it. Gives how to undo it. */
  reflect(collection: Collection<object>, item: object, present: boolean): () => void;
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
    const { pending, turn } = this.#change(state);
    for (const entity of entities) {
      this.#check(entity);
      const wasAdded = pending.added.has(entity);
      pending.added.set(entity, turn);
      if (wasAdded) continue;
      const wasRemoved = pending.removed.delete(entity);
      // What is not pending is stored: only then is there something to look through.
      const isIn = !wasRemoved && (state.items?.length ?? 0) >= pending.added.size && state.items?.includes(entity);
      if (isIn !== true) state.items?.push(entity);
      // Where it is stored, this only matters if the other side takes it out at the same time.
      if (wasRemoved ? pending.unseen?.delete(entity) !== true : isIn === true) note(pending, 'again', entity);
    }
  }

  /** Takes entities out; without loading, it is for the flush to find that one was never in it. */
  remove(...entities: readonly T[]): void {
    const state = this.#open();
    const { pending, turn } = this.#change(state);
    for (const entity of entities) {
      this.#check(entity);
      const at = state.items?.indexOf(entity) ?? -1;
      if (at >= 0) state.items?.splice(at, 1);
      const wasNew = pending.added.delete(entity) && pending.again?.delete(entity) !== true;
      if (pending.removed.has(entity)) continue;
      pending.removed.set(entity, turn);
      if (at < 0 || wasNew) note(pending, 'unseen', entity);
    }
  }

  /** Makes these its only entities. Where it is not loaded, the flush loads what is stored to know what to take out. */
  set(entities: Iterable<T>): void {
    const state = this.#open();
    const { pending, turn } = this.#change(state);
    const wanted = new Set(entities);
    if (isWhole(state) && state.items !== undefined) {
      this.remove(...state.items.filter((item) => !wanted.has(item)));
      this.add(...wanted);
      return;
    }
    for (const entity of wanted) this.#check(entity);
    pending.added.clear();
    pending.removed.clear();
    for (const entity of wanted) pending.added.set(entity, turn);
    pending.replaced = true;
    pending.turn = turn;
    state.items = [...wanted];
  }

  /** Its entities. Throws `RelationNotLoadedError` before it is loaded. */
  get(): readonly T[] {
    if (this.#state?.items === undefined) {
      if (this.owner !== undefined) throw this.notLoaded();
      return [...(this.#state?.pending?.added.keys() ?? [])];
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
    if (this.#state === undefined) this.#state = { items: undefined, complete: false, pending: undefined };
    else if (this.#state === EMPTY) this.#state = { items: [], complete: true, pending: undefined };
    return this.#state;
  }

  #change(state: State<T>): { readonly pending: Pending<T>; readonly turn: number } {
    const turn = this.touch();
    state.pending ??= { added: new Map(), removed: new Map(), replaced: false };
    return { pending: state.pending, turn };
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
    Object.defineProperties(Collection.prototype, {
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
        const pending = collection.#state?.pending;
        if (pending === undefined) return undefined;
        return pending.added.size === 0 && pending.removed.size === 0 && !pending.replaced ? undefined : pending;
      },
      items: (collection) => collection.#state?.items,
      isComplete: (collection) => collection.#state?.items !== undefined && collection.#state.complete,
      resolve(collection, stored, complete = true) {
        const state = collection.#open();
        const { pending } = state;
        state.complete = complete;
        if (pending === undefined) {
          state.items = [...stored];
        } else if (pending.replaced) {
          for (const item of stored) {
            if (pending.added.has(item)) note(pending, 'again', item);
            else pending.removed.set(item, pending.turn ?? 0);
          }
          if (complete) pending.replaced = false;
        } else {
          const known = new Set(stored);
          state.items = stored.filter((item) => !pending.removed.has(item));
          for (const item of pending.added.keys()) {
            if (known.has(item)) note(pending, 'again', item);
            else state.items.push(item);
          }
          for (const item of pending.removed.keys()) {
            if (known.has(item)) pending.unseen?.delete(item);
            else note(pending, 'unseen', item);
          }
        }
      },
      initialize(collection) {
        const added = collection.#state?.pending?.added;
        if (added === undefined) collection.#state = EMPTY;
        else {
          collection.#state = {
            items: [...added.keys()],
            complete: true,
            pending: { added, removed: new Map(), replaced: false },
          };
        }
      },
      reflect(collection, item, present) {
        const state = collection.#state;
        if (state?.items === undefined || state.items.includes(item) === present) return () => {};
        const { items } = collection.#open();
        if (present) items?.push(item);
        else items?.splice(items.indexOf(item), 1);
        return () => {
          if (!present) items?.push(item);
          else items?.splice(items.indexOf(item), 1);
        };
      },
      settle(collection) {
        if (collection.#state?.pending !== undefined) collection.#state.pending = undefined;
      },
      discard(collection) {
        const state = collection.#state;
        const pending = state?.pending;
        if (state === undefined || pending === undefined) return;
        // Replaced unseen: what is stored is not known, so it counts as not loaded.
        if (pending.replaced) state.items = undefined;
        else if (state.items !== undefined) {
          state.items = state.items.filter((item) => !pending.added.has(item) || pending.again?.has(item) === true);
          for (const item of pending.removed.keys()) if (pending.unseen?.has(item) !== true) state.items.push(item);
        }
        state.pending = undefined;
      },
      save(collection) {
        const state = collection.#state;
        if (state === undefined || state === EMPTY) {
          return () => {
            collection.#state = state;
          };
        }
        const { items, complete, pending } = state;
        const kept: State<object> = {
          items: items === undefined ? undefined : [...items],
          complete,
          pending: pending && {
            added: new Map(pending.added),
            removed: new Map(pending.removed),
            replaced: pending.replaced,
            turn: pending.turn,
            unseen: pending.unseen && new Set(pending.unseen),
            again: pending.again && new Set(pending.again),
          },
        };
        return () => {
          collection.#state = kept;
        };
      },
    };
  }
}

/** Whether `items` is all there is, so that what is not in it is not stored either. */
function isWhole(state: State<object>): boolean {
  return state.items !== undefined && (state.complete || state.pending?.replaced === true);
}

function note<T>(pending: Pending<T>, set: 'again' | 'unseen', item: T): void {
  pending[set] ??= new Set();
  pending[set].add(item);
}
