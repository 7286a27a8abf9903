/**
 * The short run of the model: no violation in the protocol as it is, and each planted mistake found. The full run is
 * `npm run model -- --full`.
 */
import { expect, test } from 'vitest';
import { check, PLANTED, plant, scenarios } from './suite.js';

test.each(PLANTED)('%s is found, and nothing without it', (name) => {
  const found = plant(name);
  expect(found.violation, `${found.what}: its trace was\n${found.trace.join('\n')}`).toBeDefined();
  expect(found.trace.length).toBeGreaterThan(0);
  expect(found.falsely).toBeUndefined();
});

test('the protocol has no violation in the pairs of the short run', () => {
  const report = check(scenarios(false, 1));
  expect(report.violations).toEqual([]);
  expect(report.cut).toEqual([]);
  expect(report.triples).toBe(1);
  expect(report.pairs).toBeGreaterThanOrEqual(160);
  expect(report.states).toBeGreaterThan(500_000);
}, 300_000);
