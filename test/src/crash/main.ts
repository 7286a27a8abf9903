/**
 * `npm run crash -- [--rounds R] [--seed N] [--stores a,b,…] [--faults kill,fail,hang] [--json]`: units of work over real
 * servers, killed and failed and hung at every step, with servers that die meanwhile. `--embedded`: one embedded folder.
 * Ends with 1 where an invariant does not hold.
 */
import { parseArgs } from 'node:util';
import { embeddedRun } from './embedded/run.js';
import { FAULTS } from './failpoints.js';
import { STORES } from './model.js';
import { crashRun } from './run.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    stores: { type: 'string', default: STORES.join() },
    faults: { type: 'string', default: FAULTS.join() },
    only: { type: 'string', default: '' },
    embedded: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
if (!Number.isInteger(rounds) || rounds < 0 || !Number.isInteger(seed)) {
  console.error('--rounds takes a whole number, --seed a whole number.');
  process.exit(2);
}
const progress = (line: string) => {
  if (!values.json) console.error(line);
};
const report = values.embedded
  ? await embeddedRun({ rounds, seed, progress })
  : await crashRun({
      stores: listed('stores', values.stores, STORES),
      faults: values.faults === '' ? [] : listed('faults', values.faults, FAULTS),
      only: values.only,
      rounds,
      seed,
      progress,
    });
console.log(values.json ? JSON.stringify(report) : report);
process.exitCode = report.violations.length === 0 ? 0 : 1;

function listed<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  const words = text.split(',');
  const found = known.filter((each) => words.includes(each));
  if (found.length === words.length) return found;
  console.error(`--${option} takes some of ${known.join(', ')}.`);
  process.exit(2);
}
