/**
 * The store beside another that decides. Fences, and later what became of them, are transactions of their own, each sent
 * once: an answer that is lost leaves the outcome to the marks, which everything here goes by. Statements of one call
 * are sent together and cost one trip, whatever their number.
 */
import {
  type Access,
  type CommitParticipant,
  type EntityModel,
  type FenceOutcome,
  type FenceOwner,
  UniqueViolationError,
  type WriteBatch,
} from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import { type GraphNames, quote, type Shape } from '../names.js';
import { Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { fenceBatch } from './fence.js';
import { holdersOfValues } from './holders.js';
import { ownerOf, ownersIn, shapesOf, UNIT } from './marks.js';
import { install, installUpdates, takeBack } from './settle.js';

/** Limit on a call that gives none, in milliseconds: Neo4j's own are none, and its locks would be held for ever. */
const LIMIT_MS = 30_000;
/** How often fences are put up again where a value was held and is free by now. */
const TURNS = 3;

/** Ends the transaction of fences that were not all put up. */
class Refused {
  constructor(readonly outcome: FenceOutcome) {}
}

export class Neo4jParticipant implements CommitParticipant {
  constructor(
    private readonly names: GraphNames,
    private readonly domain: Neo4jDomain,
  ) {}

  /** All of them or none: where some are missed or held, nothing stays behind. */
  async fence(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<FenceOutcome> {
    for (let turn = 1; ; turn++) {
      try {
        return await this.#alone(access, (runner) => this.#fence(owner, batches, runner));
      } catch (error) {
        if (error instanceof Refused) return error.outcome;
        if (!(error instanceof UniqueViolationError)) throw error;
        const { owners, isFree } = await holdersOfValues(batches, this.names, this.domain, access);
        const held = owners.filter(({ unitOfWork }) => unitOfWork !== owner.unitOfWork);
        if (held.length > 0) return { missed: [], held };
        if (!isFree || turn >= TURNS) throw error;
      }
    }
  }

  async apply(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void> {
    await this.#alone(access, (runner) =>
      Promise.all([
        ...this.#shapes(batches).map((shape) => install(shape, owner, this.names, runner)),
        ...batches.map(async (batch) => {
          if (batch.op === 'update') await installUpdates(batch, owner, this.names, runner);
        }),
      ]),
    );
  }

  async unfence(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void> {
    await this.#takeBack(this.#shapes(batches), owner, access);
  }

  async unfenceAll(owner: FenceOwner, access: Access): Promise<void> {
    await this.#takeBack(shapesOf(this.names.all, this.names), owner, access);
  }

  async owners(limit: number, access: Access): Promise<readonly FenceOwner[]> {
    if (this.names.all.length === 0) return [];
    const scope = new Scope(this.names);
    const most = scope.parameter(BigInt(limit));
    const parts = shapesOf(this.names.all, this.names).map(
      ({ ends, source }) =>
        `MATCH ${ends === undefined ? `(n:${quote(source)})` : `()-[n:${quote(source)}]->()`} WHERE n.${UNIT} IS NOT NULL WITH DISTINCT ${ownerOf('n')} AS owner LIMIT ${most} RETURN owner`,
    );
    const answer = await this.domain.run(scope.statement(parts.join('\nUNION\n')), limited(access), 'READ');
    return ownersIn(answer).slice(0, limit);
  }

  async #fence(owner: FenceOwner, batches: readonly WriteBatch[], runner: Runner): Promise<FenceOutcome> {
    const done = await Promise.all(batches.map((batch) => fenceBatch(batch, owner, this.names, runner)));
    const outcome: FenceOutcome = {
      missed: done.flatMap(({ missed }, batch) => missed.map((row) => ({ batch, row }))),
      held: ownersIn(done.flatMap(({ held }) => held.map((each) => [each.unitOfWork, each.coordinator]))),
    };
    if (outcome.missed.length + outcome.held.length > 0) throw new Refused(outcome);
    return outcome;
  }

  async #takeBack(shapes: readonly Shape[], owner: FenceOwner, access: Access): Promise<void> {
    if (shapes.length === 0) return;
    await this.#alone(access, (runner) =>
      Promise.all(shapes.map((shape) => takeBack(shape, owner, this.names, runner))),
    );
  }

  /** Relationships first: what they hang on is theirs no more when it goes. */
  #shapes(batches: readonly WriteBatch[]): Shape[] {
    const entities: EntityModel[] = batches.map(({ entity }) => entity);
    return shapesOf(entities, this.names).sort((x, y) => Number(x.ends === undefined) - Number(y.ends === undefined));
  }

  #alone<R>(access: Access, work: (runner: Runner) => Promise<R>): Promise<R> {
    return this.domain.atomically(limited(access), 'WRITE', work);
  }
}

/** Never a part of the caller's transaction: it must last whatever becomes of that. */
function limited({ signal, timeoutMs = LIMIT_MS, label }: Access): Access {
  return { signal, timeoutMs, label };
}
