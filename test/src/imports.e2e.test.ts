/** Proves that the import check can fail: every rule of `.dependency-cruiser.cjs` meets a planted mistake. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const planted = fileURLToPath(new URL('../fixtures/imports', import.meta.url));

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
}

test('each rule finds the mistake that is planted for it', () => {
  const config = `${root}.dependency-cruiser.cjs`;
  const ran = spawnSync(
    `${root}node_modules/.bin/depcruise`,
    ['--no-progress', '--output-type', 'json', '--config', config, 'packages', 'examples'],
    { cwd: planted, encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  const { summary } = JSON.parse(ran.stdout) as { summary: { violations: Violation[]; error: number } };
  const found = [...new Set(summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`))].sort();

  expect(found).toEqual(
    [
      'core-imports-no-driver: packages/core/src/session/driver.ts',
      'every-import-resolves: packages/core/src/session/missing.ts',
      'no-cycles: packages/core/src/model/alpha.ts',
      'no-inner-barrels: packages/core/src/session/barrel.ts',
      'packages-have-one-door: examples/demo/src/main.ts',
      'packages-have-one-door: packages/sql/src/back-door.ts',
      'packages-import-downwards: packages/core/src/session/upward.ts',
      'rooms-are-named: packages/core/src/session/unnamed-room.ts',
      'rooms-import-rightwards: packages/core/src/store/leftward.ts',
      'rooms-import-rightwards: packages/core/src/types/wide.ts',
    ].sort(),
  );
  expect(summary.error).toBeGreaterThan(0);

  const { forbidden } = createRequire(import.meta.url)(config) as { forbidden: { name: string }[] };
  const unproven = new Set(forbidden.map(({ name }) => name));
  for (const { rule } of summary.violations) unproven.delete(rule.name);
  expect([...unproven]).toEqual([]);
});
