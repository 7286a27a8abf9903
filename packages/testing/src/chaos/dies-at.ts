/** A process that dies in the middle of a commit over several databases, played by one that lives on. */
import type { CommitStep, StepEvent, StepListener } from '@storeweave/core';

/**
 * A listener for `commit.onStep` that refuses to go on, `before` or `after` this step, and from the beginning lets its
 * process take no fence off: what it leaves behind is what a dead one would.
 */
export function diesAt(moment: StepEvent['moment'], step: CommitStep): StepListener {
  return (event) => {
    if ((event.step === step && event.moment === moment) || event.step === 'unfence') throw new Error('died');
  };
}
