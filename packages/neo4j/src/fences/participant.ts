/**
 * The store beside another that decides. Fences, and later what becomes of them, are transactions of their own, each sent
 * once: an answer that is lost leaves the outcome to the marks, which everything here goes by. Statements of one call
 * are sent together and cost one trip, whatever their number.
 */
import {
  AbortedError,
  type Access,
  type CommitParticipant,
  CommitUnknownError,
  ConnectionError,
  type FenceOutcome,
  type FenceOwner,
  ForeignKeyViolationError,
  TimeoutError,
  UniqueViolationError,
  type UnitPart,
  type WriteBatch,
} from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import { type GraphNames, quote, type Shape } from '../names.js';
import { Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { applyPlain, isPlain } from './apply-many.js';
import { applyBatches, FenceReport, fenceBatches, shapes } from './batches.js';
import { holdersOfValues } from './holders.js';
import { ownerOf, ownersIn, shapesOf, UNIT } from './marks.js';
import { removeReferences, settle } from './settle.js';

/** Limit on a call that gives none, in milliseconds: Neo4j's own are none, and its locks would be held for ever. */
const LIMIT_MS = 30_000;
/** How often fences are put up again where a value was held and is free by now. */
const TURNS = 3;

/** Errors after which a transaction may have been committed. */
const UNKNOWN = [AbortedError, CommitUnknownError, ConnectionError, TimeoutError];

/** Ends a transaction without effect. */
class Undone {}

export class Neo4jParticipant implements CommitParticipant {
  constructor(
    private readonly names: GraphNames,
    private readonly domain: Neo4jDomain,
  ) {}

  /** All of them or none: where some are missed or held, nothing stays behind. */
  async fence(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<FenceOutcome> {
    for (let turn = 1; ; turn++) {
      let report = new FenceReport();
      try {
        await this.#alone(access, async (runner) => {
          report = new FenceReport();
          await fenceBatches(batches, owner, report, this.names, runner);
          if (isRefused(report.outcome())) throw new Undone();
        });
        if (report.open > 0) await this.#tryOut(owner, batches, access);
        return report.outcome();
      } catch (error) {
        if (error instanceof Undone) return report.outcome();
        if (!(error instanceof UniqueViolationError)) throw error;
        const { owners, isFree } = await holdersOfValues(batches, this.names, this.domain, access);
        const outcome = report.outcome(owners.filter(({ unitOfWork }) => unitOfWork !== owner.unitOfWork));
        if (outcome.held.length > 0) return outcome;
        if (!isFree || turn >= TURNS) throw error;
      }
    }
  }

  /** In one transaction where nothing stands in the way of any of them; else each is tried by itself. */
  async fenceMany(units: readonly UnitPart[], access: Access): Promise<readonly PromiseSettledResult<FenceOutcome>[]> {
    const each = () => Promise.allSettled(units.map(({ owner, batches }) => this.fence(owner, batches, access)));
    if (units.length <= 1) return each();
    try {
      return await this.#alone(access, (runner) => Promise.all(units.map((unit) => this.#fenceWith(unit, runner))));
    } catch (error) {
      // Unless it is known to be without effect, nobody knows whose fences stand.
      if (UNKNOWN.some((kind) => error instanceof kind)) throw error;
      return each();
    }
  }

  async #fenceWith({ owner, batches }: UnitPart, runner: Runner): Promise<PromiseSettledResult<FenceOutcome>> {
    const report = new FenceReport();
    await fenceBatches(batches, owner, report, this.names, runner);
    const value = report.outcome();
    if (isRefused(value) || report.open > 0) throw new Undone();
    return { status: 'fulfilled', value };
  }

  async apply(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void> {
    await this.#alone(access, (runner) => applyBatches(batches, owner, this.names, runner));
  }

  async applyMany(units: readonly UnitPart[], access: Access): Promise<void> {
    const plain = units.filter((unit) => isPlain(unit, this.names));
    if (plain.length > 0) await this.#alone(access, (runner) => applyPlain(plain, this.names, runner));
    for (const { owner, batches } of units) {
      if (!isPlain({ owner, batches }, this.names)) await this.apply(owner, batches, access);
    }
  }

  async unfence(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void> {
    await this.#takeBack(shapes(batches, this.names), owner, access);
  }

  async unfenceAll(owner: FenceOwner, access: Access): Promise<void> {
    const { relationships, nodes } = this.names;
    await this.#takeBack(shapesOf([...relationships, ...nodes], this.names), owner, access);
  }

  async owners(limit: number, access: Access): Promise<readonly FenceOwner[]> {
    const scope = new Scope(this.names);
    const most = scope.parameter(BigInt(limit));
    const parts = shapesOf(this.names.all, this.names).map(({ ends, source }) => {
      const pattern = ends === undefined ? `(n:${quote(source)})` : `()-[n:${quote(source)}]->()`;
      return `MATCH ${pattern} WHERE n.${UNIT} IS NOT NULL WITH DISTINCT ${ownerOf('n')} AS owner LIMIT ${most} RETURN owner`;
    });
    if (parts.length === 0) return [];
    const answer = await this.domain.run(scope.statement(parts.join('\nUNION\n')), limited(access), 'READ');
    return ownersIn(answer).slice(0, limit);
  }

  /** What is only put together when it is applied is put together once before the decision, and left as it is. */
  async #tryOut(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void> {
    try {
      await this.#alone(access, async (runner) => {
        await applyBatches(batches, owner, this.names, runner);
        throw new Undone();
      });
    } catch (error) {
      if (error instanceof Undone) return;
      await this.unfence(owner, batches, access);
      throw error;
    }
  }

  async #takeBack(all: readonly Shape[], owner: FenceOwner, access: Access): Promise<void> {
    if (all.length === 0) return;
    const left = await this.#alone(access, (runner) =>
      Promise.all(
        all.map(async (shape) => ({
          shape,
          ids: await settle(
            shape,
            owner,
            { goes: ['insert', 'reserve'], stays: ['update', 'delete', 'guard'] },
            this.names,
            runner,
          ),
        })),
      ),
    );
    for (const { shape, ids } of left) if (ids.length > 0) await this.#removeReferences(ids, shape, access);
  }

  /** Apart from the rest: what others hang on them meanwhile may refuse it, and then they are to stay. */
  async #removeReferences(ids: readonly string[], shape: Shape, access: Access): Promise<void> {
    try {
      await this.#alone(access, (runner) => removeReferences(ids, shape, this.names, runner));
    } catch (error) {
      if (!(error instanceof ForeignKeyViolationError)) throw error;
    }
  }

  #alone<R>(access: Access, work: (runner: Runner) => Promise<R>): Promise<R> {
    return this.domain.atomically(limited(access), 'WRITE', work);
  }
}

function isRefused({ missed, held }: FenceOutcome): boolean {
  return missed.length + held.length > 0;
}

/** Never a part of the caller's transaction: it must last whatever becomes of that. */
function limited({ signal, timeoutMs = LIMIT_MS, label }: Access): Access {
  return { signal, timeoutMs, label };
}
