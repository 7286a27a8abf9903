/**
 * The contract suite in one call: `contract('mongodb', { open }, vitest)`. Cases that the stores do not claim are
 * skipped with the reason in the report. Works with vitest, jest (with its globals) and node:test: whatever has these
 * four functions.
 */
import { contractCases } from './cases.js';
import { ContractFixture } from './fixture.js';
import { type ContractOptions, excuseFor, idleExcuses } from './run.js';

/** What a test framework must offer. `vitest` and `node:test` as modules fit as they are. */
export interface TestFramework {
  describe(name: string, define: () => void): unknown;
  it(name: string, run: (context: { skip(reason?: string): unknown }) => Promise<void>, timeoutMs?: never): unknown;
  beforeAll?(run: () => Promise<void>): unknown;
  before?(run: () => Promise<void>): unknown;
  afterAll?(run: () => Promise<void>): unknown;
  after?(run: () => Promise<void>): unknown;
}

/** Defines one test for each case of the suite. */
export function contract(name: string, options: ContractOptions, framework: TestFramework): void {
  framework.describe(`contract: ${name}`, () => {
    const fixture = new ContractFixture(options.open, options.reopenable);
    (framework.beforeAll ?? framework.before)?.(() => fixture.open());
    (framework.afterAll ?? framework.after)?.(() => fixture.close());
    framework.it('has no excuse that excuses nothing', async () => {
      const idle = idleExcuses(options.excuses);
      if (idle.length > 0) throw new Error(`No case is called ${idle.join(', ')}: take the excuses away.`);
    });
    for (const given of contractCases) {
      framework.it(given.name, async (context) => {
        const reason = excuseFor(given, fixture, options);
        if (reason !== undefined) {
          context.skip(reason);
          return;
        }
        await fixture.run(given);
      });
    }
  });
}
