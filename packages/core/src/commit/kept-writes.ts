/**
 * What a unit of work has written in databases beside the coordinator. A commit over several databases has to write it
 * there again, after the decision, so each batch is kept as it is sent; what could not be kept is known by name.
 */
import type { TransactionDomain } from '../store/access.js';
import type { Store } from '../store/store.js';
import type { WriteBatch } from '../store/write.js';
import { absentRows } from './absent-rows.js';
import type { Part } from './across/commit-across.js';
import { foldBatches } from './across/fold.js';
import type { Topology } from './across/topology.js';

/** A batch for a domain beside the coordinator. */
export interface KeptWrite {
  readonly store: Store;
  readonly batch: WriteBatch;
  /** Written in that domain's own transaction, which a commit over several domains ends without effect. */
  readonly isSent: boolean;
}

/** Why a domain has what cannot be kept. */
export const NATIVE = 'native work';

export class KeptWrites {
  #writes: KeptWrite[] = [];
  readonly #lost = new Map<TransactionDomain, string>();

  constructor(readonly topology: Topology) {}

  /** Whether what is written in this domain has to be written again in a commit over several. */
  concerns(domain: TransactionDomain): boolean {
    if (this.topology.isCoordinator(domain)) return false;
    const kind = this.topology.kindOf(domain);
    return kind === 'fence' || kind === 'append';
  }

  add(write: KeptWrite): void {
    this.#writes.push(write);
  }

  /** Notes that `what` was done in a way that cannot be kept. */
  lose(domain: TransactionDomain, what: string): void {
    if (this.concerns(domain)) this.#lost.set(domain, what);
  }

  /** What cannot be written again, by domain. */
  get lost(): ReadonlyMap<TransactionDomain, string> {
    return this.#lost;
  }

  /** True where everything that is lost would not be, if changes by filter were made by row. */
  get couldBeByRow(): boolean {
    return [...this.#lost].every(([domain, what]) => what !== NATIVE && this.topology.kindOf(domain) === 'fence');
  }

  get unsent(): readonly KeptWrite[] {
    return this.#writes.filter((write) => !write.isSent);
  }

  get length(): number {
    return this.#writes.length;
  }

  /** Forgets what came after a savepoint. */
  cut(length: number): void {
    this.#writes = this.#writes.slice(0, length);
  }

  /** One change for each key, by logical store. */
  async parts(): Promise<Part[]> {
    const parts: Part[] = [];
    for (const participation of this.topology.all()) {
      const own = this.#writes.filter(({ store }) => store === participation.store).map(({ batch }) => batch);
      if (own.length === 0) continue;
      const folded = foldBatches(own);
      const missing = await Promise.all(folded.ifAbsent.map((batch) => absentRows(participation.store, batch, {})));
      const batches = [...folded.batches, ...missing.filter((batch) => batch !== undefined)];
      if (batches.length > 0) parts.push({ participation, batches });
    }
    return parts;
  }
}
