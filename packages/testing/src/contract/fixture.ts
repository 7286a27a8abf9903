/**
 * What a run of the suite stands on: the plugin's stores behind a recorder, a weave over the domain's entities that they
 * can keep, and an empty database before each case.
 */
import {
  type Access,
  compileDomain,
  type EntityClass,
  ForeignKeyViolationError,
  type OpenOptions,
  type Store,
  Storeweave,
} from '@storeweave/core';
import { type ChaosStore, chaosStore } from '../chaos/store.js';
import { type Bound, type ContractCase, type ContractContext, missing } from './case.js';
import { domainGroups } from './domain/groups.js';
import { Recorder } from './recorder.js';

/** Gives stores over an empty database; called once for the suite, and again by cases that need another one. */
export type OpenStores = () => Promise<Record<string, Store>>;

export class ContractFixture {
  readonly #openers: OpenStores;
  #recorder = new Recorder();
  #stores: Record<string, ChaosStore> = {};
  #weave: Storeweave | undefined;

  constructor(
    open: OpenStores,
    /** Makes an empty database, and gives what opens stores over it as often as it is called, one at a time. */
    private readonly reopenable?: () => Promise<OpenStores>,
  ) {
    this.#openers = open;
  }

  /** What was bound: enough to tell which cases apply. */
  get stores(): Bound {
    return this.#stores;
  }

  /** Opens the stores with every entity of the domain that they can keep. */
  async open(): Promise<void> {
    this.#recorder = new Recorder();
    this.#stores = wrap(await this.#openers(), this.#recorder);
    const entities: EntityClass[] = domainGroups
      .filter((group) => missing(group.needs, this.#stores) === undefined)
      .flatMap((group) => group.entities);
    const domains = new Set(Object.values(this.#stores).map((store) => store.domain));
    this.#weave = await Storeweave.open({
      entities,
      stores: this.#stores,
      // Cases that need several models to commit together say so; the others must run on stores apart, too.
      atomicity: domains.size > 1 ? 'best-effort' : 'atomic',
      audit: { store: this.#stores.relational === undefined ? 'document' : 'relational' },
    });
  }

  async run(given: ContractCase): Promise<void> {
    const weave = this.#weave;
    if (weave === undefined) throw new Error('The fixture of the contract suite is not open.');
    const others: Storeweave[] = [];
    const recorder = this.#recorder;
    const open = async (stores: OpenStores, entities: readonly EntityClass[], options: Partial<OpenOptions> = {}) => {
      const weave = await Storeweave.open({ ...options, entities, stores: await stores() });
      others.push(weave);
      return weave;
    };
    const alone: Store[] = [];
    const context: ContractContext = {
      weave,
      stores: this.#stores,
      chaos: recorder,
      calls: (work) => recorder.during(work),
      capabilities: (model) => {
        const store = this.#stores[model];
        if (store === undefined) throw new Error(`The case ${given.name} uses the model ${model} without needing it.`);
        return store.capabilities;
      },
      openOther: (entities, options) => open(this.#openers, entities, options),
      openFenced: async (on, entities) => {
        const stores = await this.#openers();
        alone.push(...Object.values(stores));
        const store = stores[on];
        if (store === undefined) throw new Error(`The case ${given.name} uses the model ${on} without needing it.`);
        const domain = compileDomain(entities);
        await store.open({ name: on, entities: domain.entities, fenced: true });
        await store.schema?.apply(await store.schema.plan({}), {});
        return { store, model: (target) => domain.of(target) };
      },
      reopen: async () => {
        if (this.reopenable === undefined)
          throw new Error(`The case ${given.name} reopens a database without needing it.`);
        const again = await this.reopenable();
        return (entities, options) => open(again, entities, options);
      },
    };
    try {
      await given.run(context);
    } finally {
      recorder.clear();
      for (const other of others) await other.close();
      for (const store of alone) await store.close();
      await this.#empty();
    }
  }

  async close(): Promise<void> {
    if (this.#weave === undefined) for (const store of Object.values(this.#stores)) await store.close();
    else await this.#weave.close();
    this.#weave = undefined;
  }

  // Rows that reference others go first; where an order cannot be known, a refused entity is tried again.
  async #empty(): Promise<void> {
    let left = Object.values(this.#stores).flatMap((store) =>
      store.entities.filter((entity) => this.#recorder.touched.has(entity.name)).map((entity) => ({ store, entity })),
    );
    const seen = new Set<string>();
    left = left.filter(({ entity }) => !seen.has(entity.name) && seen.add(entity.name)).reverse();
    while (left.length > 0) {
      const refused: typeof left = [];
      for (const item of left) {
        try {
          await clear(item.store, item.entity);
        } catch (error) {
          if (!(error instanceof ForeignKeyViolationError) || left.length === 1) throw error;
          refused.push(item);
        }
      }
      if (refused.length === left.length)
        throw new Error(
          `These entities keep each other from being emptied: ${refused.map(({ entity }) => entity.name).join(', ')}`,
        );
      left = refused;
    }
    this.#recorder.touched.clear();
  }
}

async function clear(store: ChaosStore, entity: ChaosStore['entities'][number]): Promise<void> {
  const access: Access = {};
  if (store.bulk !== undefined) {
    await store.bulk({ op: 'deleteWhere', entity, where: { op: 'and', conditions: [] } }, access);
    return;
  }
  const keys = await store.read({ entity, fields: entity.ids }, access);
  if (keys.length > 0) await store.write({ op: 'delete', entity, keys }, access);
}

function wrap(stores: Record<string, Store>, recorder: Recorder): Record<string, ChaosStore> {
  const wrapped = new Map<Store, ChaosStore>();
  return Object.fromEntries(
    Object.entries(stores).map(([name, store]) => {
      const known = wrapped.get(store) ?? chaosStore(store, recorder);
      wrapped.set(store, known);
      return [name, known];
    }),
  );
}
