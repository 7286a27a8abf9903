import { configDefaults, defineConfig } from 'vitest/config';
// Nothing here may need a package of ours that is not built yet.
import { NOT_TESTED, type RareServer, whyNot } from './packages/testing/src/servers/prerequisites.js';

// Our packages run from source. Vitest passes these on to Node, so 'import' and 'module' must not be among them: they
// would make `require` inside CommonJS dependencies load ES modules.
const resolve = { conditions: ['@storeweave/source', 'node'] };

/** Tests that need a server which no npm package brings; without it they are left out, and named at the end of the run. */
const needing: Record<RareServer, readonly string[]> = {
  influxdb: [
    'packages/influxdb/src/**/*.{contract,e2e}.test.ts',
    '**/influxdb.e2e.test.ts',
    '**/real-stores.e2e.test.ts',
  ],
  mariadb: ['**/mariadb*.{contract,e2e}.test.ts'],
  mongodb: ['packages/mongodb/src/**/*.{contract,e2e}.test.ts', '**/mongodb.e2e.test.ts', '**/real-stores.e2e.test.ts'],
  neo4j: ['packages/neo4j/src/**/*.{contract,e2e}.test.ts', '**/neo4j.e2e.test.ts', '**/real-stores.e2e.test.ts'],
  redis: ['**/redis.e2e.test.ts'],
};

const leftOut: string[] = [];
const reasons: string[] = [];
for (const [kind, tests] of Object.entries(needing) as [RareServer, readonly string[]][]) {
  const reason = await whyNot(kind);
  if (reason === undefined) continue;
  leftOut.push(...tests);
  reasons.push(`${reason}. Left out: ${tests.join(', ')}`);
}
process.env[NOT_TESTED] = reasons.join('\n');

export default defineConfig({
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: {
    include: ['{packages,examples}/*/src/**/*.test.ts', '{test,docs,bench}/src/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...leftOut],
    globalSetup: ['packages/testing/src/servers/vitest-global-setup.ts'],
    testTimeout: 60_000,
    // Hooks open stores, and a server may have to be built before the first of them.
    hookTimeout: 1_500_000,
    maxWorkers: 2,
  },
});
