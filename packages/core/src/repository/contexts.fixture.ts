/**
 * The least that can stand in for a unit of work in tests of this room: an identity map over memory stores, without
 * tracking and without transactions. `shared: true` keeps the identity map between calls, as a unit of work does.
 */
import { type MemoryStore, type MemoryStoreOptions, memoryStore, type StoreCall } from '@storeweave/testing';
import { entityCodec } from '../hydrate/entity-codec.js';
import type { IdentityKey } from '../hydrate/identity-key.js';
import { compileDomain } from '../metadata/compile.js';
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { RelationBinding } from '../relations/relation-loader.js';
import type { ContextSource, WorkContext } from '../session/ports.js';
import { RelationReader } from './relation-reader.js';
import { Repository } from './repository.js';

export class TestHouse {
  readonly domain;
  readonly stores = new Map<string, MemoryStore>();
  readonly source: ContextSource;
  readonly #shared: WorkContext | undefined;

  constructor(entities: readonly EntityClass[], options: MemoryStoreOptions & { readonly shared?: boolean } = {}) {
    const { shared = false, ...store } = options;
    this.domain = compileDomain(entities);
    for (const { store: name } of this.domain.entities) {
      if (!this.stores.has(name)) this.stores.set(name, memoryStore(store));
    }
    this.#shared = shared ? this.context() : undefined;
    this.source = { current: () => this.#shared ?? this.context() };
  }

  async open(): Promise<this> {
    for (const [name, store] of this.stores) {
      await store.open({ name, entities: this.domain.entities.filter((entity) => entity.store === name) });
    }
    return this;
  }

  repository<T extends object>(target: EntityClass<T>): Repository<T> {
    return new Repository<T>(this.domain.of(target), this.source);
  }

  store(entity: EntityModel): MemoryStore {
    const store = this.stores.get(entity.store);
    if (store === undefined) throw new Error(`no store ${entity.store}`);
    return store;
  }

  /** The calls that `run` makes, over all stores, as `read Author`. */
  async calls(run: () => Promise<unknown>): Promise<string[]> {
    for (const store of this.stores.values()) store.calls.length = 0;
    await run();
    const describe = (call: StoreCall) => `${call.call} ${call.entity}`;
    return [...this.stores.values()].flatMap((store) => store.calls.map(describe));
  }

  context(): WorkContext {
    const identities = new Map<EntityModel, Map<IdentityKey, object>>();
    const bindings = new Map<EntityModel, RelationBinding[]>();
    const mapOf = (entity: EntityModel) => {
      const map = identities.get(entity) ?? new Map<IdentityKey, object>();
      identities.set(entity, map);
      return map;
    };
    const loader = new RelationReader({ current: () => work });
    const touched = new Set<object>();
    const work: WorkContext = {
      domain: this.domain,
      store: (entity) => this.store(entity),
      areTogether: (a, b) => a.store === b.store,
      access: async (_entity, _reads, options) => ({ ...options }),
      materialize: (entity, rows, options) => {
        const codec = entityCodec(entity);
        const map = mapOf(entity);
        const bound = bindings.get(entity) ?? entity.relations.map((relation) => ({ relation, loader, touched }));
        bindings.set(entity, bound);
        return rows.map((row: Row) => {
          const key = codec.keys.ofRow(row);
          const known = key === undefined ? undefined : map.get(key);
          if (known !== undefined) {
            if (options?.refresh === true) codec.fill(known, row, bound);
            return known;
          }
          const made = codec.make(row, bound);
          if (key !== undefined) map.set(key, made);
          return made;
        });
      },
      known: (entity, key) => {
        const text = entityCodec(entity).keys.ofValues(key);
        return text === undefined ? undefined : mapOf(entity).get(text);
      },
      isRemoved: () => false,
      detached: () => this.context(),
      atomically: (_entity, _options, run) => run(work),
    };
    return work;
  }
}
