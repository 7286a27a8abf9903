/** One way to write a step: a change on a copy of the state, emitted with what was done and by whom. */
import type { Emit } from '../explore.js';
import { copy, type State } from './state.js';

export type Step = (label: string, change: (to: State) => void, fault?: boolean) => void;

/** Steps from `state` by `actor`: the index of a unit of work, or -1 for a store or the reader. */
export function stepper(state: State, actor: number, emit: Emit<State>): Step {
  return (label, change, fault = false) => {
    const to = copy(state);
    change(to);
    emit(label, actor, to, fault);
  };
}
