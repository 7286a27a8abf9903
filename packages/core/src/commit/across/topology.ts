/**
 * Which store decides a commit over several transaction domains, and how each of the others takes part. Read from the
 * capabilities that stores declare, after they have been opened: some know only then what their server can do.
 */
import { ConfigurationError } from '../../errors/errors.js';
import type { TransactionDomain } from '../../store/access.js';
import type { CommitCoordinator, CommitParticipant } from '../../store/commit.js';
import type { Store } from '../../store/store.js';

export interface Coordination {
  /** Logical name. */
  readonly name: string;
  readonly store: Store;
  readonly coordinator: CommitCoordinator;
}

/** A logical store beside the coordinator. */
export interface Participation {
  readonly name: string;
  readonly store: Store;
  readonly participant: CommitParticipant;
  readonly kind: 'fence' | 'prepare' | 'append';
}

export class Topology {
  constructor(
    readonly coordination: Coordination,
    private readonly participations: ReadonlyMap<string, Participation>,
  ) {}

  isCoordinator(domain: TransactionDomain): boolean {
    return domain === this.coordination.store.domain;
  }

  participation(name: string): Participation | undefined {
    return this.participations.get(name);
  }

  all(): readonly Participation[] {
    return [...this.participations.values()];
  }

  /** How a domain takes part; undefined where it takes part in nothing. */
  kindOf(domain: TransactionDomain): Participation['kind'] | undefined {
    return this.all().find((each) => each.store.domain === domain)?.kind;
  }
}

/** Throws `ConfigurationError` where `coordinator` names a store that cannot coordinate; undefined where none can. */
export function findTopology(stores: ReadonlyMap<string, Store>, coordinator?: string): Topology | undefined {
  const coordination = findCoordination(stores, coordinator);
  if (coordination === undefined) return undefined;
  const participations = new Map<string, Participation>();
  for (const [name, store] of stores) {
    const kind = store.capabilities.commit?.participates;
    if (store.domain === coordination.store.domain || kind === undefined || store.participant === undefined) continue;
    participations.set(name, { name, store, participant: store.participant, kind });
  }
  return new Topology(coordination, participations);
}

/**
 * The store that decides where none is named: the first that can, one that keeps relational entities before others. Its
 * row locks let those who change the same rows wait for each other, where others have to begin anew.
 */
export function defaultCoordinator(stores: Iterable<readonly [string, Store]>): readonly [string, Store] | undefined {
  const able = [...stores].filter(([, { capabilities }]) => capabilities.commit?.coordinates === true);
  return able.find(([, { capabilities }]) => capabilities.models.includes('relational')) ?? able[0];
}

function findCoordination(stores: ReadonlyMap<string, Store>, named?: string): Coordination | undefined {
  const [name, store] = defaultCoordinator([...stores].filter(([name]) => named === undefined || name === named)) ?? [];
  if (name !== undefined && store?.coordinator !== undefined) return { name, store, coordinator: store.coordinator };
  if (named === undefined) return undefined;
  throw new ConfigurationError(
    `The store '${named}' is to coordinate commits and cannot: it is ${stores.has(named) ? 'bound to a store that does not declare it' : 'not bound'}. Name one whose capabilities say commit.coordinates, or leave the choice out.`,
    { store: named },
  );
}
