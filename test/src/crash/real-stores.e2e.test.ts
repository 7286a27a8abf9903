/** The crash run in short: every failpoint with a kill, once, over the four real servers. `npm run crash` does the rest. */
import { expect, it } from 'vitest';
import { failpointsOver } from './failpoints.js';
import { STORES } from './model.js';
import { crashRun } from './run.js';

it('leaves every unit of work wholly there or wholly not, wherever its process is killed', async () => {
  const report = await crashRun({ stores: STORES, seed: 1, rounds: 0, faults: ['kill'] });
  expect(report.violations).toEqual([]);
  expect(report.failpoints).toBe(failpointsOver(STORES).length);
  expect(report.kills).toBeGreaterThanOrEqual(report.failpoints);
  expect(report.unitsOfWork).toBeGreaterThan(report.failpoints);
}, 900_000);
