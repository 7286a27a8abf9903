/**
 * `npm run contract [-- --json] [--only memory,pglite] [--case text]`: the contract suite on every store of this
 * repository. Prints, store by store, what passed, what is excused and why, and what could not be had; ends with a
 * status other than 0 if a case failed or a store could not be tried.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { runContract } from '@storeweave/testing/contract';
import { contractTargets, type Target } from './contract-targets.js';

interface StoreReport {
  readonly server: string;
  /** Null where it could not be had. */
  readonly version: string | null;
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly { readonly test: string; readonly error: string }[];
  readonly excused: readonly { readonly test: string; readonly reason: string }[];
  /** Why the store could not be tried at all. */
  readonly missing?: string;
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' }, case: { type: 'string' } },
});
const only = values.only?.split(',');
const say = (text: string): void => {
  if (!values.json) process.stdout.write(text);
};

const reports: Record<string, StoreReport> = {};
for (const target of contractTargets) {
  if (only !== undefined && !only.includes(target.name)) continue;
  reports[target.name] = await run(target);
}
if (values.json) console.log(JSON.stringify(reports));
else summarize(reports);
const isGreen = Object.values(reports).every((report) => report.missing === undefined && report.failed === 0);
process.exitCode = isGreen && Object.keys(reports).length > 0 ? 0 : 1;

async function run(target: Target): Promise<StoreReport> {
  say(`\n${target.name}\n`);
  let server: Awaited<ReturnType<Target['start']>>;
  try {
    server = await target.start();
  } catch (error) {
    say(`  could not be had: ${messageOf(error)}\n`);
    return {
      server: target.name,
      version: null,
      passed: 0,
      failed: 0,
      failures: [],
      excused: [],
      missing: messageOf(error),
    };
  }
  const started = performance.now();
  try {
    const report = await runContract({
      open: server.open,
      reopenable: server.reopenable,
      excuses: target.excuses,
      only: values.case,
      // Servers that stand in where the real one is not to be had may be slow: SecantusDB's wheel takes minutes for a case.
      timeoutMs: 300_000,
      onCase: (name, outcome, detail) => {
        if (outcome === 'failed') say(`  ✗ ${name}\n    ${messageOf(detail).replaceAll('\n', '\n    ')}\n`);
      },
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(
      `  ${report.passed.length} passed, ${report.failed.length} failed, ${report.excused.length} excused in ${seconds} s on ${server.version}\n`,
    );
    return {
      server: server.server,
      version: server.version,
      passed: report.passed.length,
      failed: report.failed.length,
      failures: report.failed.map(({ test, error }) => ({ test, error: messageOf(error) })),
      excused: report.excused,
    };
  } finally {
    await server.stop();
  }
}

function summarize(all: Record<string, StoreReport>): void {
  for (const [name, report] of Object.entries(all)) {
    console.log(
      `\n${name}: ${report.missing === undefined ? `${report.passed} passed, ${report.failed} failed` : `NOT TESTED: ${report.missing}`}`,
    );
    for (const { test } of report.failures) console.log(`  failed   ${test}`);
    const reasons = group(report.excused);
    for (const [reason, excused] of reasons)
      console.log(`  excused  ${excused.map(({ test }) => test).join('\n           ')}\n           because: ${reason}`);
  }
}

function group(excused: StoreReport['excused']): Map<string, { test: string; reason: string }[]> {
  const groups = new Map<string, { test: string; reason: string }[]>();
  for (const each of excused) groups.set(each.reason, [...(groups.get(each.reason) ?? []), each]);
  return groups;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}${error.cause === undefined ? '' : `\ncaused by ${messageOf(error.cause)}`}`;
}
