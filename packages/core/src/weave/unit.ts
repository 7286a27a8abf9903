/**
 * What a transaction's unit of work and a session have in common for the application: entities come in and go out, and
 * repositories see them. A thin door; the work is done in `session` and the rooms to its right.
 */
import type { CommitPlan } from '../commit/commit-plan.js';
import type { EntityClass } from '../model/entity-model.js';
import type { WorkContext } from '../session/ports.js';
import type { Receipt } from '../session/receipt.js';
import { nativeOf, refreshEntity } from '../session/unit-calls.js';
import type { Work } from '../session/work.js';
import type { CreateInput } from '../types/input.js';
import { Repositories } from './repositories.js';

export abstract class Unit extends Repositories {
  protected readonly work: Work;

  constructor(work: Work) {
    super(work.environment.domain);
    this.work = work;
  }

  protected override context(): WorkContext {
    return this.work.context;
  }

  /** Names this unit of work; a UUIDv7. */
  get id(): string {
    return this.work.id;
  }

  /** What the last commit did; undefined before. Still there when the unit of work is over. */
  get receipt(): Receipt | undefined {
    return this.work.receipt;
  }

  /** Aborted when the caller's signal is, or the time limit has passed. To be handed on to other waits. */
  get signal(): AbortSignal {
    return this.work.options.signal ?? NEVER;
  }

  /**
   * A new entity with these values, its defaults and its id, to be written by the next flush. References take an entity
   * or its id, collections arrays. Throws `InvalidValueError` for a value that a relation cannot take.
   */
  create<T extends object>(entity: EntityClass<T>, data: CreateInput<T>): T {
    return this.work.unit.create(this.work.environment.domain.of(entity), data) as T;
  }

  /**
   * Adds entities: new ones that the application constructed, or ones from an earlier unit of work with whatever changed
   * on them since. Throws `InvalidStateError` for an entity that another open unit of work has.
   */
  add(entities: object | readonly object[]): void {
    this.work.unit.add(Array.isArray(entities) ? entities : [entities]);
  }

  /** Removes entities with the next flush; where the class has `@SoftDelete` they are marked deleted. */
  remove(entities: object | readonly object[]): void {
    this.work.unit.remove(Array.isArray(entities) ? entities : [entities]);
  }

  /**
   * The commit fails with `OptimisticLockError` if one of these entities is no longer as it was read, though this unit of
   * work does not change it: what was decided by looking at it then still holds. Throws `CapabilityError` for an entity
   * without `@Version`, and where its store can neither lock rows nor be fenced.
   */
  guard(entities: object | readonly object[]): void {
    this.work.guard(Array.isArray(entities) ? entities : [entities]);
  }

  /**
   * What a commit would write now, as data and, by `toString()`, as text. Writes nothing and reads nothing; what only a
   * read or a life-cycle hook can tell is named in `notes`.
   */
  plan(): CommitPlan {
    return this.work.plan();
  }

  /** Reads an entity again and gives up its changes. Throws `EntityNotFoundError` if it is gone. */
  async refresh(entity: object): Promise<void> {
    await refreshEntity(this.work, entity);
  }

  /** Lets an entity go: its changes are not written, and the next find makes another instance. */
  detach(entity: object): void {
    this.work.detach(entity);
  }

  /** Whether an entity is in this unit of work and not to be removed. */
  contains(entity: object): boolean {
    return this.work.tracked.has(entity);
  }

  /**
   * The driver's own object of a logical store, inside the running transaction; what is pending is written first.
   * Throws `ConfigurationError` for a name that no store is bound to.
   */
  native(store: string): Promise<unknown> {
    return nativeOf(this.work, store);
  }
}

const NEVER = new AbortController().signal;
