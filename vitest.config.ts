import { defineConfig } from 'vitest/config';

// Our packages run from source. Vitest passes these on to Node, so 'import' and 'module' must not be among them: they
// would make `require` inside CommonJS dependencies load ES modules.
const resolve = { conditions: ['@storeweave/source', 'node'] };

export default defineConfig({
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: {
    include: ['{packages,examples}/*/src/**/*.test.ts', '{test,docs,bench}/src/**/*.test.ts'],
    globalSetup: ['packages/testing/src/servers/vitest-global-setup.ts'],
    testTimeout: 60_000,
    // Hooks open stores, and a server may have to be built before the first of them.
    hookTimeout: 900_000,
    maxWorkers: 2,
  },
});
