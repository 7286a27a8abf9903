/**
 * What the units of work of this process ask of the stores beside the coordinator: fences and their application, those of
 * several units of work in one request where they come at the same time.
 */
import { StoreError } from '../../errors/errors.js';
import type { Access } from '../../store/access.js';
import type { FenceOutcome, UnitPart } from '../../store/commit.js';
import { Gathered } from './gathered.js';
import { applyTogether } from './together.js';
import type { Participation } from './topology.js';

/** Limits on each request, in milliseconds: no commit waits for ever for a server that does not answer. */
const FENCE_MS = 30_000;
/** Afterwards the relay takes over. */
const APPLY_MS = 30_000;

export class WorkerRequests {
  readonly #fences = new Map<Participation, Gathered<UnitPart, FenceOutcome>>();
  readonly #applications = new Map<Participation, Gathered<UnitPart, void>>();

  /** Puts fences up. Throws what the store throws for this unit of work, or for all that were sent with it. */
  async fence(participation: Participation, part: UnitPart, signal: AbortSignal | undefined): Promise<FenceOutcome> {
    const { participant, name } = participation;
    if (participant.fenceMany === undefined) {
      const access: Access = { timeoutMs: FENCE_MS, ...(signal && { signal }) };
      const outcome = await participant.fence?.(part.owner, part.batches, access);
      if (outcome !== undefined) return outcome;
      throw new StoreError(`The store '${name}' declares fences and has no fence().`, { store: name });
    }
    let gathered = this.#fences.get(participation);
    if (gathered === undefined) {
      gathered = new Gathered(async (parts) => (await participant.fenceMany?.(parts, { timeoutMs: FENCE_MS })) ?? []);
      this.#fences.set(participation, gathered);
    }
    return gathered.add(part, signal);
  }

  /** Applies what is decided. Resolves when it is durable. */
  async apply(participation: Participation, part: UnitPart): Promise<void> {
    let gathered = this.#applications.get(participation);
    if (gathered === undefined) {
      gathered = new Gathered((parts) => applyTogether(participation, parts, { timeoutMs: APPLY_MS }));
      this.#applications.set(participation, gathered);
    }
    return gathered.add(part);
  }
}
