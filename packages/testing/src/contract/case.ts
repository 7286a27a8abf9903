/**
 * One behaviour that every store must show, if it claims what the behaviour needs. Cases are data: a name, needs, and
 * what to run. How they are run (vitest, node:test, a plain loop) is decided elsewhere.
 */
import type {
  Capabilities,
  DataModel,
  EntityClass,
  EntityModel,
  OpenOptions,
  Store,
  Storeweave,
} from '@storeweave/core';
import type { ChaosPlan } from '../chaos/plan.js';
import type { RecordedCall } from './recorder.js';

/** The bound stores of a run, by logical name; the suite's entities use the models' names. */
export type Bound = Readonly<Record<string, Store>>;

/** Something that the bound stores must have for a case to make sense. */
export interface Need {
  /** What is missing, in words for a report; undefined where nothing is. */
  missing(stores: Bound): string | undefined;
}

export interface ContractContext {
  /** Opened over an empty database with every entity of the suite's domain that the stores can keep. */
  readonly weave: Storeweave;
  readonly stores: Bound;
  /** Makes calls fail, wait or hang; cleared after each case. */
  readonly chaos: ChaosPlan;
  /** The calls that reached the stores while the work ran, in order. */
  calls(work: () => Promise<unknown>): Promise<readonly RecordedCall[]>;
  capabilities(model: DataModel): Capabilities;
  /** Another weave over other, empty stores; closed after the case. */
  openOther(entities: readonly EntityClass[], options?: Partial<OpenOptions>): Promise<Storeweave>;
  /** A store of the model by itself, opened over an empty database as one that may be fenced; closed after the case. */
  openFenced(on: DataModel, entities: readonly EntityClass[]): Promise<FencedStore>;
  /** An empty database, opened anew by each call; only with the need `reopening`. Close one weave before the next. */
  reopen(): Promise<(entities: readonly EntityClass[], options?: Partial<OpenOptions>) => Promise<Storeweave>>;
}

/** A store that is called directly. */
export interface FencedStore {
  readonly store: Store;
  model(target: EntityClass): EntityModel;
}

export interface ContractCase {
  /** `topic/model: behaviour`; unique, and what an excuse names. */
  readonly name: string;
  readonly needs: readonly Need[];
  run(context: ContractContext): Promise<void>;
}

/** A behaviour that a plugin is known not to show, and why. */
export interface Excuse {
  /** Name of a case, or the beginning of several. */
  readonly test: string;
  readonly reason: string;
}

/** A database that can be closed and opened again; see `ContractOptions.reopenable`. */
export const reopening: Need = { missing: () => undefined };

export function test(name: string, needs: readonly Need[], run: ContractCase['run']): ContractCase {
  return { name, needs, run };
}

/** A store for this model is bound, and keeps it. */
export function model(...models: readonly DataModel[]): Need {
  return {
    missing: (stores) => {
      const absent = models.filter((each) => stores[each]?.capabilities.models.includes(each) !== true);
      return absent.length === 0 ? undefined : `no store for the model ${absent.join(', ')}`;
    },
  };
}

/** The store of a model claims a capability. */
export function can(on: DataModel, capability: string, holds: (capabilities: Capabilities) => boolean): Need {
  return {
    missing: (stores) => {
      const store = stores[on];
      return store === undefined || holds(store.capabilities) ? undefined : `${on}: does not claim ${capability}`;
    },
  };
}

/** The store of a model has an optional part of the SPI. */
export function has(
  on: DataModel,
  part: 'schema' | 'graph' | 'series' | 'documents' | 'relational' | 'aggregate' | 'stream',
): Need {
  return {
    missing: (stores) =>
      stores[on] === undefined || stores[on][part] !== undefined ? undefined : `${on}: has no ${part}`,
  };
}

export const transactions = (on: DataModel): Need => can(on, 'transactions', (c) => c.transactions !== undefined);

export const savepoints = (on: DataModel): Need =>
  can(on, 'transactions.savepoints', (c) => c.transactions?.savepoints === true);

/** Several transactions may run at the same time. */
export function concurrent(on: DataModel): Need {
  return {
    missing: (stores) =>
      stores[on]?.domain.exclusive === true
        ? `${on}: the domain has one session, so transactions run one at a time`
        : undefined,
  };
}

/** The stores of these models commit together. */
export function together(...models: readonly DataModel[]): Need {
  return {
    missing: (stores) => {
      const domains = new Set(models.map((each) => stores[each]?.domain));
      return domains.size <= 1 ? undefined : `${models.join(', ')}: not in one transaction domain`;
    },
  };
}

/** The first thing that the stores miss for a set of needs. */
export function missing(needs: readonly Need[], stores: Bound): string | undefined {
  for (const need of needs) {
    const what = need.missing(stores);
    if (what !== undefined) return what;
  }
  return undefined;
}
