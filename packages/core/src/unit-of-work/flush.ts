/**
 * One flush: relation changes become references and links, hooks run, differences are found, planned, sent, and taken
 * over. The steps repeat until hooks and cascades bring nothing new; what is sent is sent once.
 */
import type { ChangeSet, DeleteChange } from '../commit/change.js';
import { CommitPlan } from '../commit/commit-plan.js';
import { type ExecutionPort, execute } from '../commit/executor.js';
import type { PlannedWrite } from '../commit/planned-write.js';
import { planWrites } from '../commit/planner.js';
import type { EntityModel, LifecycleEvent } from '../model/entity-model.js';
import { absorb } from '../relations/plain.js';
import type { Store } from '../store/store.js';
import { type DetectedChanges, detectChanges, isChanged } from './change-detector.js';
import type { EntityState } from './entity-state.js';
import { runHooks } from './life-cycle.js';
import type { Unlinked } from './link-changes.js';
import { reflectLinks } from './link-changes.js';
import { cascadeRemoval, type FlushReads, loadUnseen, removeUnlinked, severLinks, unseen } from './pending-loads.js';
import { applyRelationChanges, type RelationChanges, type TakenPoints } from './relation-changes.js';
import { settleContainers, settleEntities, type Undo } from './settlement.js';
import type { TrackedEntities } from './tracked-entities.js';

/** What a flush needs from whoever runs it. */
export interface FlushPort extends ExecutionPort {
  readonly reads: FlushReads;
  storeOf(entity: EntityModel): Store;
  /** The writes of a flush with those that go with them: records of what they change. */
  accompany(writes: readonly PlannedWrite[], changes: ChangeSet): Promise<readonly PlannedWrite[]>;
  /** The same as far as it can be known without reading. */
  preview(writes: readonly PlannedWrite[], changes: ChangeSet): readonly PlannedWrite[];
  /** Refuses writes that cannot be kept together. */
  admit(writes: readonly PlannedWrite[]): void;
  /** Told what is about to be sent. A rejection ends the flush before anything of it is sent. */
  sending(plan: CommitPlan): Promise<void>;
}

export type Includes = (model: EntityModel) => boolean;

const everything: Includes = () => true;

export class Flusher {
  readonly #taken: TakenPoints = new Map();

  constructor(
    private readonly tracked: TrackedEntities,
    private readonly port: FlushPort,
  ) {}

  /** Points that were made entities and not written. */
  get taken(): TakenPoints {
    return this.#taken;
  }

  /** What a flush would write now, as far as it can be known without reading and without running hooks. */
  plan(): CommitPlan {
    const { links, unlinked } = applyRelationChanges(this.tracked, this.#taken);
    const detected = this.#detect(links, [], everything);
    const notes: string[] = [];
    for (const [relation, owners] of unseen(this.tracked)) {
      const name = `${relation.owner.name}.${relation.name}`;
      notes.push(`${name} of ${owners.length} is read first, to know what is no longer in it.`);
    }
    if (unlinked.length > 0) notes.push(`${unlinked.length} relationships are read first, to be deleted.`);
    if ([...this.tracked.doomed].some((state) => state.model.relations.length > 0)) {
      notes.push('What removals take along by cascade, and links of what is removed, is read first and deleted, too.');
    }
    const planned = planWrites(detected.set, (entity) => this.port.storeOf(entity));
    return new CommitPlan(this.port.preview(planned, detected.set), notes);
  }

  /** Whether a read of these entities could miss something that is not written yet. */
  isPending(reads: readonly EntityModel[], includes: Includes): boolean {
    const { fresh, doomed, touched, lent, identities } = this.tracked;
    for (const container of lent) absorb(container);
    if (touched.size > 0) return true;
    for (const state of fresh) if (includes(state.model)) return true;
    for (const state of doomed) if (includes(state.model)) return true;
    for (const model of reads) {
      for (const state of identities.of(model).values())
        if (state.status === 'managed' && isChanged(state)) return true;
    }
    return false;
  }

  /** Writes what is pending among these entities. Returns how to undo it in memory, and what was written. */
  async flush(includes: Includes = everything): Promise<{ undo: Undo; plan: CommitPlan }> {
    const { tracked } = this;
    const round = new FlushRound(tracked, this.port.reads, this.#taken);
    let scope = includes;
    let found = await round.settleOnChanges(scope);
    let detected = this.#detect(found.links, found.severed, scope);
    if (!detected.complete) {
      // A key is missing that only another store can make: then that one is written to as well.
      scope = everything;
      found = await round.settleOnChanges(scope);
      detected = this.#detect(found.links, found.severed, scope);
    }
    const planned = planWrites(detected.set, (entity) => this.port.storeOf(entity));
    const undoContainers = settleContainers(tracked, this.#taken, scope);
    let plan: CommitPlan;
    try {
      const writes = await this.port.accompany(planned, detected.set);
      this.port.admit(writes);
      plan = new CommitPlan(writes);
      if (!plan.isEmpty) await this.port.sending(plan);
      await execute(writes, this.port);
    } catch (error) {
      undoContainers();
      throw error;
    }
    const undoEntities = settleEntities(tracked, detected);
    const undoLinks = reflectLinks(found.links.filter((change) => scope(change.link)));
    const undo = () => {
      undoLinks();
      undoEntities();
      undoContainers();
    };
    try {
      await runAfterHooks(detected);
    } catch (error) {
      undo();
      throw error;
    }
    return { undo, plan };
  }

  #detect(links: RelationChanges['links'], severed: readonly DeleteChange[], includes: Includes): DetectedChanges {
    return detectChanges({ tracked: this.tracked, links, severed, includes, now: Date.now() });
  }
}

/** The part of a flush that repeats until nothing new turns up. */
class FlushRound {
  readonly #hooked = new Set<EntityState>();
  readonly #cascaded = new Set<EntityState>();
  readonly #unlinked = new Set<string>();
  readonly #severed: DeleteChange[] = [];

  constructor(
    private readonly tracked: TrackedEntities,
    private readonly reads: FlushReads,
    private readonly taken: TakenPoints,
  ) {}

  async settleOnChanges(
    includes: Includes,
  ): Promise<{ links: RelationChanges['links']; severed: readonly DeleteChange[] }> {
    for (;;) {
      const { links, unlinked } = applyRelationChanges(this.tracked, this.taken);
      if (await this.#load(unlinked)) continue;
      if (await this.#cascade(includes)) continue;
      if (await this.#hook(includes)) continue;
      return { links, severed: this.#severed };
    }
  }

  async #load(unlinked: readonly Unlinked[]): Promise<boolean> {
    const found = unseen(this.tracked);
    if (found.size > 0) {
      await loadUnseen(found, this.reads.loader);
      return true;
    }
    const open = unlinked.filter(({ relation, owner, target }) => {
      const name = `${relation.owner.name}.${relation.name} ${String(owner.key)} ${String(target.key)}`;
      return !this.#unlinked.has(name) && this.#unlinked.add(name);
    });
    if (open.length === 0) return false;
    this.#severed.push(...(await removeUnlinked(this.tracked, open, this.reads)));
    return true;
  }

  async #cascade(includes: Includes): Promise<boolean> {
    const removed = [...this.tracked.doomed].filter((state) => includes(state.model) && !this.#cascaded.has(state));
    if (removed.length === 0) return false;
    for (const state of removed) this.#cascaded.add(state);
    await cascadeRemoval(this.tracked, removed, this.reads.loader);
    const gone = removed.filter((state) => state.model.softDelete === undefined);
    this.#severed.push(...(await severLinks(this.tracked, gone, this.reads)));
    return true;
  }

  async #hook(includes: Includes): Promise<boolean> {
    const due: { state: EntityState; event: LifecycleEvent }[] = [];
    const { fresh, doomed, identities } = this.tracked;
    for (const state of fresh) if (includes(state.model)) this.#collect(due, state, 'beforeInsert');
    for (const model of identities.models()) {
      if (!model.hooks.has('beforeUpdate') || !includes(model)) continue;
      for (const state of this.tracked.managed(model)) {
        if (!this.#hooked.has(state) && isChanged(state)) this.#collect(due, state, 'beforeUpdate');
      }
    }
    for (const state of doomed) if (includes(state.model)) this.#collect(due, state, 'beforeDelete');
    for (const { state, event } of due) await runHooks(state.model, event, state.instance);
    return due.length > 0;
  }

  #collect(due: { state: EntityState; event: LifecycleEvent }[], state: EntityState, event: LifecycleEvent): void {
    if (!state.model.hooks.has(event) || this.#hooked.has(state)) return;
    this.#hooked.add(state);
    due.push({ state, event });
  }
}

async function runAfterHooks(detected: DetectedChanges): Promise<void> {
  await runEach(detected.inserted.states, 'afterInsert');
  await runEach(detected.updated.keys(), 'afterUpdate');
  await runEach(detected.removed.keys(), 'afterDelete');
}

async function runEach(states: Iterable<EntityState>, event: LifecycleEvent): Promise<void> {
  for (const state of states) if (state.model.hooks.has(event)) await runHooks(state.model, event, state.instance);
}
