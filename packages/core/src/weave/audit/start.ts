/** Which store keeps the records, and what it takes to write them. */
import { AccessQueue } from '../../audit/access-queue.js';
import type { Attribution } from '../../audit/attribution.js';
import { Audit } from '../../audit/audit.js';
import { auditPolicies } from '../../audit/policy.js';
import { defaultCoordinator } from '../../commit/across/topology.js';
import { ConfigurationError } from '../../errors/errors.js';
import { lineageOf, type Places } from '../../metadata/collect.js';
import type { DomainModel } from '../../model/domain-model.js';
import type { EntityClass } from '../../model/entity-model.js';
import type { Store } from '../../store/store.js';
import { AuditLog, DataAccessLog } from './logs.js';

/** Options of `open({ audit })`. */
export interface AuditOptions {
  /**
   * Logical name of the store that keeps the records. Default: the one that coordinates commits; where all stores are in
   * one database, its relational or document store. Throws `ConfigurationError` where that does not name one.
   */
  readonly store?: string;
  /**
   * Who acts, why and from where, as far as the application knows it by other means than the options of a unit of work:
   * asked for each flush and each read, and overruled by those options. Must be quick.
   */
  readonly context?: () => Attribution | undefined;
  /** Of records of reads. */
  readonly accesses?: {
    /** How long they wait to be written together, in milliseconds. Default: 200. */
    readonly delayMs?: number;
    /** How many may wait; more are dropped, and counted as lost. Default: 100,000. */
    readonly limit?: number;
  };
}

type Stores = Readonly<Record<string, Store>>;

const ACCESSES = { delayMs: 200, limit: 100_000 };

/** The classes of the records, where an entity of `open()` needs them, and where they live. */
export interface AuditLogs {
  readonly classes: readonly EntityClass[];
  readonly places: Places;
  /** Why there is no place for them; to be thrown once the entities are known to be right. */
  readonly problem?: ConfigurationError;
}

export function auditLogs(
  entities: readonly EntityClass[],
  stores: Stores,
  options: Pick<AuditOptions, 'store'> & { readonly coordinator?: string },
): AuditLogs {
  const logs: readonly EntityClass[] = [AuditLog, DataAccessLog];
  const isNeeded = entities.some((entity) => logs.includes(entity) || isAudited(entity));
  if (!isNeeded) return { classes: [], places: new Map() };
  const place =
    options.store === undefined ? defaultPlace(stores, options.coordinator) : namedPlace(stores, options.store);
  if (place instanceof ConfigurationError) return { classes: [], places: new Map(), problem: place };
  const { models } = place.store.capabilities;
  const model = models.includes('relational') ? 'relational' : 'document';
  return { classes: logs, places: new Map(logs.map((log) => [log, { model, kind: model, store: place.name }])) };
}

/** Undefined where nothing is audited. `storeOf`: the guarded store of an entity. */
export function startAudit(
  domain: DomainModel,
  storeOf: (name: string) => Store | undefined,
  options: AuditOptions = {},
): Audit | undefined {
  const policies = auditPolicies(domain);
  if (policies.size === 0) return undefined;
  const log = domain.of(AuditLog);
  const store = () => {
    const found = storeOf(log.store);
    if (found === undefined) throw new ConfigurationError(`No store is bound to the name '${log.store}'.`);
    return found;
  };
  const { context } = options;
  const accesses = new AccessQueue({ log: domain.of(DataAccessLog), store, ...ACCESSES, ...options.accesses });
  return new Audit({ policies, log, store, accesses, ...(context && { context }) });
}

function isAudited(entity: EntityClass): boolean {
  return lineageOf(entity).some(({ annotations }) => annotations.some(({ key }) => key === 'audited'));
}

interface Place {
  readonly name: string;
  readonly store: Store;
}

function namedPlace(stores: Stores, name: string): Place | ConfigurationError {
  const store = stores[name];
  if (store !== undefined && keepsRecords(store)) return { name, store };
  return new ConfigurationError(
    store === undefined
      ? `audit.store names '${name}', and no store is bound to that. Bound are: ${Object.keys(stores).join(', ') || 'none'}.`
      : `audit.store names '${name}', which keeps neither relational nor document entities and so no records. Name another one.`,
    { store: name },
  );
}

/** In the database whose transaction decides: there is then no change without its record. */
function defaultPlace(stores: Stores, coordinator: string | undefined): Place | ConfigurationError {
  const all = Object.entries(stores).map(([name, store]): Place => ({ name, store }));
  const domains = new Set(all.map(({ store }) => store.domain));
  const decides = coordinator ?? defaultCoordinator(Object.entries(stores))?.[0];
  const first = domains.size === 1 ? all[0] : all.find(({ name }) => name === decides);
  const beside = all.filter(({ store }) => store.domain === first?.store.domain && keepsRecords(store));
  const chosen = beside.find(({ store }) => store.capabilities.models.includes('relational')) ?? beside[0];
  if (chosen !== undefined) return chosen;
  const why =
    first === undefined
      ? 'they are in several databases, of which none coordinates commits'
      : `beside '${first.name}' none of them keeps relational or document entities`;
  return new ConfigurationError(
    `There are audited entities, and no store is the one for their records: bound are ${Object.keys(stores).join(', ') || 'none'}, and ${why}. Name one: open({ audit: { store: 'relational' } }).`,
  );
}

function keepsRecords({ capabilities: { models } }: Store): boolean {
  return models.includes('relational') || models.includes('document');
}
