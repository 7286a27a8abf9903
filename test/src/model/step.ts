/** One way to write a step: a change on a copy of the state, emitted with what was done and by whom. */
import { copy, type State } from './bytes.js';
import type { Emit } from './explore.js';

export type Change = (to: State) => void;
export type Step = (label: string, change: Change, fault?: boolean) => void;

/** Steps from `state` by `actor`: the index of a unit of work, or -1 for a store or the reader. */
export function stepper(state: State, actor: number, emit: Emit<State>): Step {
  return (label, change, fault = false) => {
    const to = copy(state);
    change(to);
    emit(label, actor, to, fault);
  };
}

/** The change of one byte. */
export const put =
  (at: number, value: number): Change =>
  (to) => {
    to[at] = value;
  };
