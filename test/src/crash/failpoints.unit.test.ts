/** Every step of a commit is struck somewhere: a new one fails the type check here until it has its failpoints. */
import type { CommitStep } from '@storeweave/core';
import { expect, it } from 'vitest';
import { failpointsOver, nameOf } from './failpoints.js';
import { STORES } from './model.js';

const STEPS: Readonly<Record<CommitStep, boolean>> = {
  claim: true,
  fence: true,
  prepare: true,
  // PostgreSQL writes the journal row with its COMMIT.
  record: false,
  decide: true,
  apply: true,
  done: true,
  unfence: true,
  settle: true,
};

it('has every step before and after it, and no place twice', () => {
  const failpoints = failpointsOver(STORES);
  for (const moment of ['before', 'after']) {
    const steps = new Set(failpoints.filter((each) => each.moment === moment).map(({ step }) => step));
    for (const [step, isTaken] of Object.entries(STEPS))
      expect([step, steps.has(step as CommitStep)]).toEqual([step, isTaken]);
  }
  expect(new Set(failpoints.map(nameOf)).size).toBe(failpoints.length);
});
