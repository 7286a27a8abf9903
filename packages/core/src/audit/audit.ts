/**
 * The audit of one `open()`: adds records to the writes of a flush, makes batches of records for changes that pass the
 * unit of work by, and has reads noted. Where nothing is audited there is none, and nothing is paid for it.
 */
import type { ChangeSet } from '../commit/change.js';
import type { PlannedWrite } from '../commit/planned-write.js';
import { entityCodec } from '../hydrate/entity-codec.js';
import type { IdentityKey } from '../hydrate/identity-key.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Store } from '../store/store.js';
import type { AccessQueue } from './access-queue.js';
import type { Attribution } from './attribution.js';
import {
  isUncertain,
  keyOfChange,
  type NotedChange,
  notedChanges,
  PlannedRecords,
  settledChanges,
} from './planned-records.js';
import type { AuditPolicies } from './policy.js';
import { watchReads } from './read-watch.js';
import { logRows, type RowChange, recordOf, type Stamp } from './row-change.js';

/** What the records of a flush ask of whoever runs it. */
export interface RecordsPort {
  readonly stamp: Stamp;
  /** Whole rows by identity, inside the transaction, kept from others until its end where the store can. */
  lockedRows(entity: EntityModel, keys: readonly Row[]): Promise<readonly Row[]>;
}

export interface AuditParts {
  readonly policies: AuditPolicies;
  /** Model of `AuditLog`. */
  readonly log: EntityModel;
  readonly store: () => Store;
  readonly accesses: AccessQueue;
  /** What the application knows of whoever acts, where the unit of work was not told. */
  readonly context?: () => Attribution | undefined;
}

export class Audit {
  readonly #watchesReads: boolean;

  constructor(private readonly options: AuditParts) {
    this.#watchesReads = [...options.policies.values()].some((policy) => policy.reads);
  }

  get policies(): AuditPolicies {
    return this.options.policies;
  }

  /** Model of `AuditLog`. */
  get log(): EntityModel {
    return this.options.log;
  }

  /** The writes of a flush with the records of what they change. */
  async accompany(
    writes: readonly PlannedWrite[],
    changes: ChangeSet,
    port: RecordsPort,
  ): Promise<readonly PlannedWrite[]> {
    const noted = notedChanges(changes, this.policies);
    const uncertain = noted.filter(isUncertain);
    if (uncertain.length === 0) return this.#with(writes, noted, port.stamp);
    const stored = new Map<EntityModel, Map<IdentityKey, Row>>();
    for (const [entity, keys] of byEntity(uncertain)) {
      const identities = entityCodec(entity).keys;
      const rows = new Map<IdentityKey, Row>();
      stored.set(entity, rows);
      for (const row of await port.lockedRows(entity, keys)) {
        const key = identities.ofRow(row);
        if (key !== undefined) rows.set(key, row);
      }
    }
    return this.#with(writes, settledChanges(noted, stored), port.stamp);
  }

  /** The same without looking at what is stored, for plans. */
  preview(writes: readonly PlannedWrite[], changes: ChangeSet, stamp: Stamp): readonly PlannedWrite[] {
    return this.#with(writes, notedChanges(changes, this.policies), stamp);
  }

  /** Rows of `AuditLog` for changed rows of one entity, those of them that are on record. */
  rows(entity: EntityModel, changes: readonly RowChange[], stamp: Stamp): Row[] {
    const policy = this.policies.get(entity);
    if (policy === undefined) return [];
    const records = changes.flatMap((change) => recordOf(policy, change) ?? []);
    return logRows(this.log, records, stamp, Date.now());
  }

  /** A store as reads on someone's behalf are to see it. */
  watch(store: Store, attribution: Attribution, unitOfWork?: string): Store {
    if (!this.#watchesReads) return store;
    return watchReads(store, this.policies, (make) => {
      this.options.accesses.add(make, () => this.stamp(attribution, unitOfWork));
    });
  }

  /** On whose behalf: what a unit of work was told, and what the application knows anyway. */
  stamp({ actor, reason, from }: Attribution, unitOfWork?: string): Stamp {
    const around = this.options.context?.();
    return {
      unitOfWork,
      actor: actor ?? around?.actor,
      reason: reason ?? around?.reason,
      from: from ?? around?.from,
    };
  }

  /** Records of reads. */
  get accesses(): AccessQueue {
    return this.options.accesses;
  }

  #with(writes: readonly PlannedWrite[], noted: readonly NotedChange[], stamp: Stamp): readonly PlannedWrite[] {
    if (noted.length === 0) return writes;
    const records = new PlannedRecords(this.options.store(), this.log, noted, stamp);
    // What no rollback takes back goes last, so that it is on record whenever it has happened.
    const final = writes.findIndex((write) => write.store.domain.begin === undefined);
    const at = final === -1 || !isKnown(noted) ? writes.length : final;
    return [...writes.slice(0, at), records, ...writes.slice(at)];
  }
}

/** Whether every row of a record is complete before the writes. */
function isKnown(noted: readonly NotedChange[]): boolean {
  return noted.every(({ change }) => change.op !== 'insert' || !change.row.includes(undefined));
}

function byEntity(noted: readonly NotedChange[]): Map<EntityModel, Row[]> {
  const keys = new Map<EntityModel, Row[]>();
  for (const one of noted) {
    const key = keyOfChange(one);
    if (key === undefined) continue;
    const known = keys.get(one.change.entity);
    if (known === undefined) keys.set(one.change.entity, [key]);
    else known.push(key);
  }
  return keys;
}
