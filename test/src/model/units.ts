/**
 * Units of work, stores and a reader as one transition system, whatever each of them does: all steps of all of them, and a
 * look at every unit in every state.
 */
import { keyOf, type State } from './bytes.js';
import type { Emit, System } from './explore.js';

/** `P` is what is modelled, and does not change from state to state. */
export interface UnitSystem<P> {
  readonly plan: P;
  /** Of the units of work, in their order. */
  readonly names: readonly (string | undefined)[];
  readonly initial: State;
  readonly unitSteps: readonly ((plan: P, state: State, unit: number, emit: Emit<State>) => void)[];
  readonly otherSteps: readonly ((plan: P, state: State, emit: Emit<State>) => void)[];
  /** Everything but the units of work. */
  othersAtRest(state: State): boolean;
  unitAtRest(state: State, unit: number): boolean;
  /** Takes from a state what nobody reads again of a unit. */
  forgetOver(to: State, unit: number): void;
  /** Which invariant the step broke that led here. */
  broken(state: State): string | undefined;
  /** What is wrong with a unit; `rests`: nothing is left to do. */
  violation(state: State, unit: number, rests: boolean): string | undefined;
}

export function unitSystem<P>(system: UnitSystem<P>): System<State> {
  const { plan, names, initial, unitSteps, otherSteps } = system;
  const units = names.map((_, unit) => unit);
  const atRest = (state: State): boolean =>
    system.othersAtRest(state) && units.every((unit) => system.unitAtRest(state, unit));
  return {
    initial,
    key: keyOf,
    atRest,
    next: (state, emit) => {
      const forgetting: Emit<State> = (label, actor, to, fault) => {
        for (const unit of units) system.forgetOver(to, unit);
        emit(label, actor, to, fault);
      };
      for (const unit of units) for (const steps of unitSteps) steps(plan, state, unit, forgetting);
      for (const steps of otherSteps) steps(plan, state, forgetting);
    },
    violation: (state) => {
      const broken = system.broken(state);
      if (broken !== undefined) return broken;
      const rests = atRest(state);
      for (const unit of units) {
        const wrong = system.violation(state, unit, rests);
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    },
    describe: (label, actor) => (actor < 0 ? label : `unit ${actor + 1} (${names[actor]}): ${label}`),
  };
}

/** All or nothing: `wrong` are the places where a unit is not what it is expected to be. */
export function half(unit: number, isDecided: boolean, wrong: readonly string[]): string | undefined {
  if (wrong.length === 0) return undefined;
  return `half a unit of work: unit ${unit + 1} is ${isDecided ? 'decided, and missing' : 'not decided, and there'} at ${wrong.join(', ')}`;
}
