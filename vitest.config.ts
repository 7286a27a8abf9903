import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@storeweave/source', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['@storeweave/source', 'import', 'module', 'node', 'default'] } },
  test: {
    include: ['{packages,examples}/*/src/**/*.test.ts', '{test,docs,bench}/src/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
