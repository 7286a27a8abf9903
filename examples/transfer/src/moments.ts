/** Moments of a commit to die at. A listener of its steps does it, with SIGKILL: nobody gets to tidy up. */
import type { StepEvent, StepListener } from '@storeweave/core';

/** What is true when the process dies there. */
export const MOMENTS = {
  claim: 'the claim is held, and nothing is fenced',
  fence: 'every fence stands, and nothing is decided',
  decide: 'it is decided, and nothing is applied',
  apply: 'it is decided, and applied in one store',
  done: 'it is applied in every store, and the journal does not know yet',
} as const;

export type Moment = keyof typeof MOMENTS;

export function isMoment(text: string): text is Moment {
  return Object.hasOwn(MOMENTS, text);
}

/** Whether what dies then comes to be whole; else it is absent. */
export function isDecidedAt(moment: Moment): boolean {
  return moment !== 'claim' && moment !== 'fence';
}

/** `die` does not return. */
export function dieAt(moment: Moment, die: () => void): StepListener {
  const isThen: Record<Moment, (event: StepEvent) => boolean> = {
    claim: ({ step, moment: when }) => step === 'claim' && when === 'after',
    fence: ({ step, moment: when }) => step === 'decide' && when === 'before',
    decide: ({ step, moment: when }) => step === 'decide' && when === 'after',
    apply: ({ step, moment: when, store }) => step === 'apply' && when === 'after' && store === 'document',
    done: ({ step, moment: when }) => step === 'done' && when === 'before',
  };
  return (event) => {
    if (isThen[moment](event)) die();
    // The other stores are made to wait, so that exactly one of them has applied.
    const waits = moment === 'apply' && event.step === 'apply' && event.store !== 'document';
    return waits ? new Promise<void>(() => {}) : undefined;
  };
}
