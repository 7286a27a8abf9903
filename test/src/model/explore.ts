/**
 * A small explicit-state explorer. A protocol is wrong in the one interleaving nobody thought of, so all of them are
 * walked: breadth first, each state once, with the shortest way to a violation as the trace. It knows nothing of commits.
 *
 * Beside what must hold in each state it checks that rest can always be reached: from each state there is a way to a
 * state at rest on which nothing more breaks. Else a deadlock would pass as "nothing bad happened".
 */

/** Receives one successor: what was done, by which actor, and whether it is a fault rather than progress. */
export type Emit<S> = (label: string, actor: number, to: S, fault: boolean) => void;

/** A transition system; states are never changed once they are emitted. */
export interface System<S> {
  readonly initial: S;
  /** Equal for equal states only. */
  key(state: S): string;
  next(state: S, emit: Emit<S>): void;
  /** What is wrong in this state, if anything is. */
  violation(state: S): string | undefined;
  /** Nothing is left to do, whoever might still be alive. */
  atRest(state: S): boolean;
  /** One readable step of a trace. */
  describe(label: string, actor: number, to: S): string;
}

export interface Violation {
  readonly what: string;
  readonly trace: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** False where the limit on states ended the walk: then the absence of a violation says little. */
  readonly complete: boolean;
  readonly violation?: Violation;
}

/** Walks all that can be reached, up to `limit` states, and ends at the first violation. */
export function explore<S>(system: System<S>, limit: number): Exploration {
  const walk = new Walk(system);
  walk.add(system.initial, -1, '', -1);
  let transitions = 0;
  let complete = true;
  for (let at = 0; at < walk.states.length; at++) {
    const state = walk.states[at] as S;
    const what = system.violation(state);
    if (what !== undefined)
      return { states: walk.states.length, transitions, complete: false, violation: { what, trace: walk.trace(at) } };
    if (walk.states.length > limit) {
      complete = false;
      break;
    }
    system.next(state, (label, actor, to, fault) => {
      transitions++;
      const reached = walk.add(to, at, label, actor);
      if (!fault) walk.progress.push(at, reached);
    });
  }
  const stuck = complete ? walk.stuck() : undefined;
  const violation =
    stuck === undefined ? undefined : { what: 'rest can no longer be reached', trace: walk.trace(stuck) };
  return { states: walk.states.length, transitions, complete, violation };
}

class Walk<S> {
  readonly states: S[] = [];
  /** Pairs from, to of the steps that are no faults. */
  readonly progress: number[] = [];
  readonly #seen = new Map<string, number>();
  readonly #parents: number[] = [];
  readonly #labels: string[] = [];
  readonly #actors: number[] = [];

  constructor(readonly system: System<S>) {}

  add(state: S, parent: number, label: string, actor: number): number {
    const key = this.system.key(state);
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    const index = this.states.length;
    this.#seen.set(key, index);
    this.states.push(state);
    this.#parents.push(parent);
    this.#labels.push(label);
    this.#actors.push(actor);
    return index;
  }

  /** The first state from which no way of progress leads to rest. Goes backwards: most edges lead to later states. */
  stuck(): number | undefined {
    const rests = Uint8Array.from(this.states, (state) => (this.system.atRest(state) ? 1 : 0));
    for (let changed = true; changed; ) {
      changed = false;
      for (let edge = this.progress.length - 2; edge >= 0; edge -= 2) {
        const from = this.progress[edge] as number;
        if (rests[from] === 0 && rests[this.progress[edge + 1] as number] === 1) {
          rests[from] = 1;
          changed = true;
        }
      }
    }
    const first = rests.indexOf(0);
    return first < 0 ? undefined : first;
  }

  trace(index: number): string[] {
    const steps: string[] = [];
    for (let at = index; at > 0; at = this.#parents[at] as number)
      steps.push(this.system.describe(this.#labels[at] as string, this.#actors[at] as number, this.states[at] as S));
    return steps.reverse();
  }
}
