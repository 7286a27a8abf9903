/**
 * `npm run bench -- NAME [--json] [--rounds N] [--n ROWS]`: runs one benchmark (or all), prints a table, or with `--json` one
 * array of rows and nothing else on standard output.
 */
import { parseArgs } from 'node:util';
import type { BenchOptions, BenchRow } from './rounds.js';

const benches: Record<string, () => Promise<{ run(options: BenchOptions): Promise<BenchRow[]> }>> = {
  commit: () => import('./commit.js'),
  embedded: () => import('./embedded.js'),
  relay: () => import('./relay.js'),
  relational: () => import('./relational.js'),
  stores: () => import('./stores.js'),
  types: () => import('./types.js'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    n: { type: 'string' },
    rounds: { type: 'string', default: '7' },
  },
});

const unknown = positionals.filter((name) => !(name in benches));
const rounds = Number(values.rounds);
const n = values.n === undefined ? undefined : Number(values.n);
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(
    unknown.length > 0
      ? `There is no benchmark named ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}.`
      : `--rounds takes a whole number from 1, not ${values.rounds}.`,
  );
  process.exit(2);
}

if (n !== undefined && (!Number.isInteger(n) || n < 1)) {
  console.error(`--n takes a whole number from 1, not ${values.n}.`);
  process.exit(2);
}

const results: BenchRow[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
  const bench = await benches[name]?.();
  if (bench !== undefined)
    results.push(...(await bench.run({ json: values.json, rounds, ...(n !== undefined && { n }) })));
}
if (values.json) console.log(JSON.stringify(results));
else console.table(results);
