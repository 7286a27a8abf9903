/**
 * The commit across stores of one open Storeweave: what its units of work, its guarded stores and its relay share. Made
 * where entities live in several transaction domains and one of their stores can coordinate.
 */
import type { DomainModel } from '../../model/domain-model.js';
import type { Access } from '../../store/access.js';
import type { FenceOwner } from '../../store/commit.js';
import { pause, withinReason } from '../waiting.js';
import { type AcrossUnit, decideAcross } from './commit-across.js';
import { Finisher } from './finisher.js';
import { Handover } from './handover.js';
import type { StoreRedo } from './redo.js';
import { Relay, type RelayOptions } from './relay.js';
import { CommitSteps, type StepListener } from './steps.js';
import type { Topology } from './topology.js';
import { WorkerRequests } from './worker-requests.js';

/** How a store stands after a commit. */
export type StoreOutcome = 'applied' | 'pending';

/** What became of a commit over several databases. */
export interface AcrossOutcome {
  /** How each logical store beside the coordinator stands. */
  readonly stores: ReadonlyMap<string, StoreOutcome>;
  /** Resolve when a store has been tried, whether it answered or is left to a relay; by logical name. */
  readonly applying: ReadonlyMap<string, Promise<void>>;
}

export interface AcrossOptions {
  /** When a commit resolves: everything is applied (default), or it is decided and the rest follows. */
  readonly await: 'applied' | 'decided';
  /** How long applying is waited for before the commit resolves as pending, in milliseconds. */
  readonly awaitMs: number;
}

export interface EngineOptions {
  /** `false`: this process finishes its own units of work and no others. */
  readonly relay?: RelayOptions | false;
  readonly listeners?: readonly StepListener[];
  /** See `CommitOptions.waitMs`. Default: 10,000. */
  readonly waitMs?: number;
}

/** How long a write waits for locks where several databases have some, in milliseconds. */
export const WAIT_MS = 10_000;

/** Done marks are written together. */
const DONE_PAUSE_MS = 20;
const DONE_BATCH = 500;
/** Limit on each request for that, in milliseconds. */
const DONE_MS = 30_000;

export class CommitEngine {
  readonly finisher: Finisher;
  readonly relay: Relay;
  readonly waitMs: number;
  readonly #steps: CommitSteps;
  readonly #requests = new WorkerRequests();
  readonly #handover: Handover;
  readonly #underWay = new Set<string>();
  readonly #applying = new Set<Promise<unknown>>();
  #done: string[] = [];
  #marking: Promise<void> | undefined;

  constructor(
    readonly topology: Topology,
    domain: DomainModel,
    private readonly options: EngineOptions = {},
  ) {
    this.waitMs = options.waitMs ?? WAIT_MS;
    this.#steps = new CommitSteps(options.listeners);
    this.finisher = new Finisher(topology, domain, this.#steps);
    const relay = options.relay === false ? {} : options.relay;
    this.relay = new Relay(
      topology.coordination,
      this.finisher,
      this.#steps,
      (unitOfWork) => this.#underWay.has(unitOfWork),
      relay,
    );
    this.#handover = new Handover(topology.coordination.coordinator, () => this.relay.wake());
  }

  async open(): Promise<void> {
    await this.topology.coordination.coordinator.setUp({});
    if (this.options.relay !== false) this.relay.start();
  }

  /** Lets what is decided be applied and marked, as far as the stores answer; the rest is left to other relays. */
  async close(): Promise<void> {
    await this.relay.stop();
    await Promise.allSettled(this.#applying);
    await this.#handover.end();
    await this.#mark();
  }

  /** Commits a unit of work over several domains. */
  async commit(unit: AcrossUnit, options: AcrossOptions): Promise<AcrossOutcome> {
    const { unitOfWork } = unit;
    this.#underWay.add(unitOfWork);
    let redo: readonly StoreRedo[];
    try {
      redo = await decideAcross(unit, this.topology.coordination, this.finisher, this.#steps, this.#requests);
    } catch (error) {
      this.#underWay.delete(unitOfWork);
      throw error;
    }
    const outcomes = new Map<string, StoreOutcome>(redo.map(({ store }) => [store, 'pending']));
    await unit.stage('beforeApply');
    const applying = this.#applyEach(unitOfWork, redo, outcomes);
    const all = this.#whenApplied(unitOfWork, redo, outcomes, applying).then(() => unit.stage('afterApply'));
    if (options.await === 'applied') await withinReason(all, options.awaitMs);
    return { stores: new Map(outcomes), applying };
  }

  /** Settles the units of work whose fences somebody met. */
  async settle(owners: readonly FenceOwner[], access: Access = {}): Promise<void> {
    await this.finisher.settle(owners, access);
  }

  #applyEach(
    unitOfWork: string,
    redo: readonly StoreRedo[],
    outcomes: Map<string, StoreOutcome>,
  ): ReadonlyMap<string, Promise<void>> {
    const owner = this.finisher.ownerOf(unitOfWork);
    const one = async ({ store, batches }: StoreRedo) => {
      const participation = this.topology.participation(store);
      if (participation === undefined) return;
      const apply = () => this.#requests.apply(participation, { owner, batches });
      try {
        await this.#steps.run('apply', { unitOfWork, store, by: 'worker' }, apply);
        outcomes.set(store, 'applied');
      } catch (error) {
        // What failed is left open in the journal, for a relay.
        this.#handover.failed(unitOfWork, error);
      }
    };
    return new Map(redo.map((part) => [part.store, one(part)]));
  }

  async #whenApplied(
    unitOfWork: string,
    redo: readonly StoreRedo[],
    outcomes: ReadonlyMap<string, StoreOutcome>,
    applying: ReadonlyMap<string, Promise<void>>,
  ): Promise<void> {
    const all = Promise.all(applying.values()).then(() => {
      this.#underWay.delete(unitOfWork);
      if (redo.every(({ store }) => outcomes.get(store) === 'applied')) this.#noteDone(unitOfWork);
      else this.#handover.giveUp(unitOfWork);
    });
    this.#applying.add(all);
    try {
      await all;
    } finally {
      this.#applying.delete(all);
    }
  }

  #noteDone(unitOfWork: string): void {
    this.#done.push(unitOfWork);
    this.#marking ??= pause(DONE_PAUSE_MS, undefined)
      .then(() => this.#mark())
      .catch(() => {})
      .finally(() => {
        this.#marking = undefined;
        const next = this.#done.pop();
        if (next !== undefined) this.#noteDone(next);
      });
  }

  /** This process knows what became of these, so nobody needs their rows any more. */
  async #mark(): Promise<void> {
    const { name, coordinator } = this.topology.coordination;
    for (let units = this.#done.splice(0, DONE_BATCH); units.length > 0; units = this.#done.splice(0, DONE_BATCH)) {
      const subject = { unitOfWork: units[0] ?? '', unitsOfWork: units, store: name, by: 'worker' as const };
      try {
        await this.#steps.run('done', subject, () => coordinator.forget(units, { timeoutMs: DONE_MS }));
      } catch {
        // They stay open: a relay applies them once more, which changes nothing, and marks them then.
        return;
      }
    }
  }
}
