/**
 * Carries out what was decided, store by store, and takes back what was not. Everything here may be done again at any
 * later time and by anybody: a participant minds its own fences and nothing else.
 */
import { ConfigurationError, InvalidStateError, TimeoutError } from '../../errors/errors.js';
import type { DomainModel } from '../../model/domain-model.js';
import type { Access } from '../../store/access.js';
import type { FenceOwner, OpenUnit, UnitPart } from '../../store/commit.js';
import { isDiscarded } from './discarded.js';
import { openPages } from './open-pages.js';
import { decodeRedo, type StoreRedo } from './redo.js';
import type { DrainReport } from './report.js';
import type { CommitSteps, StepEvent } from './steps.js';
import { type Applied, applyTogether, callOf, isOfStore } from './together.js';
import type { Participation, Topology } from './topology.js';

/** Owners of fences that are looked at in one round. */
const AT_ONCE = 1_000;
/** Limit on each wait for somebody else's claim, in milliseconds: then it is tried again later. */
const CLAIM_WAIT_MS = 5_000;
/** Limit on each request to a store for somebody who waits for it, in milliseconds: what is locked there may stay so for long. */
const SETTLE_MS = 15_000;

export class Finisher {
  constructor(
    private readonly topology: Topology,
    private readonly domain: DomainModel,
    private readonly steps: CommitSteps,
  ) {}

  get #coordinator() {
    return this.topology.coordination;
  }

  ownerOf(unitOfWork: string): FenceOwner {
    return { unitOfWork, coordinator: this.#coordinator.name };
  }

  decode(redo: string): StoreRedo[] {
    return decodeRedo(redo, this.domain);
  }

  /** Applies one part of a decided unit of work. Resolves when it is durable. */
  async apply(owner: FenceOwner, part: StoreRedo, by: StepEvent['by'], access: Access): Promise<void> {
    const participation = this.#participation(part.store, owner);
    await this.steps.run('apply', { unitOfWork: owner.unitOfWork, store: part.store, by }, async () => {
      await callOf(participation, access).one({ owner, batches: part.batches });
    });
  }

  /**
   * Applies the parts that several decided units of work have in one logical store, together where the store can. What
   * became of each, in the order given; never rejects. A fulfilled one is durable. Announced as one step.
   */
  async applyAll(
    store: string,
    units: readonly UnitPart[],
    by: StepEvent['by'],
    access: Access,
  ): Promise<readonly Applied[]> {
    const [first] = units;
    if (first === undefined) return [];
    let outcomes: readonly Applied[] = [];
    try {
      const participation = this.#participation(store, first.owner);
      const unitsOfWork = units.map(({ owner }) => owner.unitOfWork);
      const subject = { unitOfWork: first.owner.unitOfWork, unitsOfWork, store, by };
      await this.steps.run('apply', subject, async () => {
        outcomes = await applyTogether(participation, units, access);
        const failed = outcomes.find((outcome) => outcome.status === 'rejected');
        if (failed?.status === 'rejected') throw failed.reason;
      });
    } catch (reason) {
      if (outcomes.every(({ status }) => status === 'fulfilled'))
        return units.map(() => ({ status: 'rejected', reason }));
    }
    return outcomes;
  }

  /** Takes back what stands in one store of a unit of work that was not decided. */
  async undo(owner: FenceOwner, part: StoreRedo, by: StepEvent['by'], access: Access): Promise<void> {
    const { participant, kind, name } = this.#participation(part.store, owner);
    if (kind === 'append') return;
    await this.steps.run('unfence', { unitOfWork: owner.unitOfWork, store: name, by }, async () => {
      if (kind === 'fence') await participant.unfence?.(owner, part.batches, access);
      else await participant.finish?.(owner, 'rollback', access);
    });
  }

  /**
   * Settles the units of work whose fences somebody met: waits until each is over, then applies it or takes its fences
   * off. A store that does not answer is left to the relay. Throws `TimeoutError` where a claim is held for too long, and
   * `ConfigurationError` for a coordinator that is not bound here.
   */
  async settle(owners: readonly FenceOwner[], access: Access): Promise<void> {
    for (const owner of owners) await this.#settleOne(owner, 'worker', { timeoutMs: SETTLE_MS, ...access });
  }

  /**
   * The same for one owner, also used by the scrub. Returns the stores that could not be settled, and why: the others are,
   * except those that are known to be down.
   */
  async #settleOne(
    owner: FenceOwner,
    by: StepEvent['by'],
    access: Access,
    down: ReadonlyMap<string, unknown> = new Map(),
  ): Promise<[store: string, reason: unknown][]> {
    const { name, coordinator } = this.#coordinator;
    if (owner.coordinator !== name) {
      throw new ConfigurationError(
        `A row is held by the unit of work ${owner.unitOfWork}, which the store '${owner.coordinator}' decides; here '${name}' is the coordinator. Open with the same stores under the same names as the application that wrote it.`,
        { store: owner.coordinator },
      );
    }
    const { unitOfWork } = owner;
    const row = await this.steps.run('settle', { unitOfWork, store: name, by }, () =>
      coordinator.resolve(unitOfWork, {
        ...access,
        timeoutMs: Math.min(CLAIM_WAIT_MS, access.timeoutMs ?? CLAIM_WAIT_MS),
      }),
    );
    const work: [string, () => Promise<void>][] =
      row === undefined
        ? this.topology.all().map((each) => [each.name, () => this.#clear(owner, each, by, access)])
        : this.decode(row.redo).map((part) => [part.store, () => this.apply(owner, part, by, access)]);
    const asked = work.filter(([store]) => !down.has(store));
    const results = await Promise.allSettled(asked.map(([, settle]) => settle()));
    return results.flatMap((result, at): [string, unknown][] =>
      result.status === 'rejected' ? [[asked[at]?.[0] ?? '', result.reason]] : [],
    );
  }

  /**
   * Finishes every unit of work that is decided and not applied in these stores, and settles every fence that is there.
   * Returns how many there were, without those in `finished`, to which it adds what it has applied in these stores.
   * Throws what a store throws that cannot be brought up to date, and `InvalidStateError` for a dead letter.
   */
  async settleStores(names: ReadonlySet<string>, finished: Set<string>, given: Access): Promise<number> {
    const access = { timeoutMs: SETTLE_MS, ...given };
    let count = await this.finishStores(names, finished, access);
    for (const { name, participant } of this.topology.all()) {
      if (!names.has(name)) continue;
      const owners = (await participant.owners?.(AT_ONCE, access)) ?? [];
      count += owners.length;
      for (const owner of owners) {
        const failed = await this.#settleOne(owner, 'relay', access);
        const [, reason] = failed.find(([store]) => names.has(store)) ?? [];
        if (reason !== undefined) throw reason;
      }
    }
    return count;
  }

  /** The same without the fences, some of whose units of work may not be decided. */
  async finishStores(names: ReadonlySet<string>, finished: Set<string>, given: Access): Promise<number> {
    const access = { timeoutMs: SETTLE_MS, ...given };
    const { coordinator } = this.#coordinator;
    let count = 0;
    // Dead letters before and after the others: a row may go from here to there while it is looked for.
    for (const dead of [true, false, true]) {
      for await (const page of openPages(coordinator, { dead }, access)) {
        for (const unit of page) if (await this.#finishIn(names, unit, finished, access)) count++;
      }
    }
    return count;
  }

  /** Finishes a unit of work that has to do with one of these stores. Tells whether it has, and was not in `finished`. */
  async #finishIn(names: ReadonlySet<string>, unit: OpenUnit, finished: Set<string>, access: Access): Promise<boolean> {
    const { unitOfWork, redo, dead, attempts } = unit;
    // Of one that is being discarded nobody can say any more that it is whole.
    if (isDiscarded(unit)) return false;
    const parts = this.decode(redo);
    const concerned = parts.filter((part) => names.has(part.store));
    const isNew = concerned.some((part) => !finished.has(`${unitOfWork} ${part.store}`));
    if (!isNew) return false;
    const owner = this.ownerOf(unitOfWork);
    const results = await Promise.allSettled(parts.map((part) => this.apply(owner, part, 'relay', access)));
    const failed = results.find((result, at) => result.status === 'rejected' && names.has(parts[at]?.store ?? ''));
    if (failed?.status === 'rejected') throw dead ? halfError(unit, concerned, failed.reason) : failed.reason;
    for (const { store } of concerned) finished.add(`${unitOfWork} ${store}`);
    const isDone = results.every((result) => result.status === 'fulfilled');
    const { coordinator } = this.#coordinator;
    if (isDone && dead)
      await coordinator.note([unitOfWork], { attempts, dead: false, over: { attempts, dead } }, access);
    if (isDone) await coordinator.done([unitOfWork], access);
    return true;
  }

  /** Takes off everything of a unit of work, decided or not. What was applied of it stays. */
  async abandon(unitOfWork: string, access: Access): Promise<void> {
    const owner = this.ownerOf(unitOfWork);
    for (const each of this.topology.all()) await this.#clear(owner, each, 'relay', access);
  }

  async #clear(owner: FenceOwner, { participant, kind, name }: Participation, by: StepEvent['by'], access: Access) {
    if (kind === 'append') return;
    await this.steps.run('unfence', { unitOfWork: owner.unitOfWork, store: name, by }, async () => {
      if (kind === 'fence') await participant.unfenceAll?.(owner, access);
      else await participant.finish?.(owner, 'rollback', access);
    });
  }

  /**
   * Settles the units of work whose fences are there, except those that are known to be under way: as many as `limit` in
   * each store. `finished` counts them. One that is under way somewhere else is left to be.
   */
  async scrub(limit: number, isUnderWay: (unitOfWork: string) => boolean, access: Access): Promise<DrainReport> {
    let finished = 0;
    const failures: unknown[] = [];
    const down = new Map<string, unknown>();
    for (const { name, participant } of this.topology.all()) {
      const owners = await participant.owners?.(limit, access).catch((reason: unknown) => {
        failures.push(reason);
        down.set(name, reason);
      });
      for (const owner of owners ?? []) {
        if (isUnderWay(owner.unitOfWork) || owner.coordinator !== this.#coordinator.name) continue;
        try {
          const failed = await this.#settleOne(owner, 'relay', access, down);
          if (failed.length === 0) finished++;
          for (const [store, reason] of failed) {
            failures.push(reason);
            if (isOfStore(reason)) down.set(store, reason);
          }
        } catch (error) {
          // At its limit its unit of work is still under way somewhere else.
          if (!(error instanceof TimeoutError)) failures.push(error);
        }
      }
    }
    const [error] = failures;
    return { finished, failed: failures.length, ...(failures.length > 0 && { error }) };
  }

  #participation(name: string, owner: FenceOwner): Participation {
    const found = this.topology.participation(name);
    if (found !== undefined) return found;
    throw new ConfigurationError(
      `The unit of work ${owner.unitOfWork} is to be finished in the store '${name}', which is not bound here or takes no part in commits. Open with the same stores as the application that wrote it.`,
      { store: name },
    );
  }
}

/** A dead letter that cannot be applied where it is to be read. What is a store's own trouble stays what it is. */
function halfError({ unitOfWork }: OpenUnit, parts: readonly StoreRedo[], cause: unknown): unknown {
  if (isOfStore(cause)) return cause;
  const where = parts.map(({ store, batches }) => {
    const entities = [...new Set(batches.map(({ entity }) => entity.name))];
    return `${entities.join(', ') || 'a prepared transaction'} in '${store}'`;
  });
  return new InvalidStateError(
    `The unit of work ${unitOfWork} was decided and is a dead letter, so a settled read would give half of it: it could not be applied to ${where.join('; ')}. Mend what refuses it and run \`storeweave journal retry ${unitOfWork}\`, or give it up with \`storeweave journal discard ${unitOfWork}\`. A read that is not settled shows what is there.`,
    { cause },
  );
}
