/**
 * `npm run model -- [--full] [--part 1/4] [--seed N] [--mistakes] [--json]`: walks the commit protocol's model and ends with
 * 1 where an invariant does not hold, or where a planted mistake is not found.
 *
 * The short run takes some kinds of unit of work in all pairs; `--full` takes all of them. `--part` takes each n-th
 * scenario, for several processes at once; the first part has the planted mistakes. `--mistakes` prints the trace of each planted mistake and nothing else.
 */
import { parseArgs } from 'node:util';
import { check, PLANTED, plant, scenarios } from './suite.js';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    part: { type: 'string', default: '1/1' },
    seed: { type: 'string', default: '1' },
    mistakes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const [part, parts] = values.part.split('/').map(Number);
const seed = Number(values.seed);
if (!(part !== undefined && parts !== undefined && part >= 1 && part <= parts && Number.isInteger(parts)))
  throw new RangeError(`--part is "${values.part}"; it has to be like 2/4.`);
if (!Number.isInteger(seed)) throw new RangeError(`--seed is "${values.seed}"; it has to be a whole number.`);

// Of a run in parts, the first part has the mistakes.
const planted = part === 1 ? PLANTED.map(plant) : [];
const missed = planted.filter((each) => each.violation === undefined || each.falsely !== undefined);

if (values.mistakes) {
  for (const each of planted)
    console.log(
      [
        `${each.mistake}: ${each.what}`,
        `  → ${each.violation ?? 'NOT FOUND'}`,
        ...each.trace.map((step) => `    ${step}`),
      ].join('\n'),
    );
} else {
  const began = Date.now();
  const list = [...scenarios(values.full, seed)].filter((_, index) => index % parts === part - 1);
  const report = check(list, ({ name }, found) => {
    if (found.states > 200_000) process.stderr.write(`${name}: ${found.states} states\n`);
  });
  const result = {
    ...report,
    seed,
    seconds: Math.round((Date.now() - began) / 1000),
    mistakes: { planted: planted.length, found: planted.length - missed.length },
  };
  if (values.json) console.log(JSON.stringify(result));
  else {
    console.log(
      `${report.pairs} pairs of kinds and ${report.triples} triples (seed ${seed}), ${report.scenarios} scenarios: ` +
        `${report.states} states, ${report.transitions} steps, ${result.seconds} s. ` +
        `Violations: ${report.violations.length}. Planted mistakes found: ${result.mistakes.found} of ${planted.length}.`,
    );
    for (const cut of report.cut) console.log(`Not walked to its end: ${cut}`);
    for (const { scenario, what, trace } of report.violations)
      console.log([`${scenario}: ${what}`, ...trace.map((step) => `  ${step}`)].join('\n'));
    for (const each of missed) console.log(`${each.mistake} (${each.what}): ${each.falsely ?? 'not found'}`);
  }
  if (report.violations.length > 0) process.exitCode = 1;
}
if (missed.length > 0) process.exitCode = 1;
