/** `storeweave doctor`: connects to each store and says who answers, how fast, and what is missing. */
import { diagnose, type StoreDiagnosis, Storeweave, StoreweaveError } from '@storeweave/core';
import type { StoreweaveConfig } from '../config.js';
import { ExitCode } from '../exit-code.js';
import { columns, type Output } from '../output.js';

/** Clocks further apart than this are worth a word: what depends on them (leases, retention) gets inexact. */
const MAX_SKEW_MS = 1000;

export async function doctor(config: StoreweaveConfig, output: Output): Promise<ExitCode> {
  const stores = await diagnose(config.stores);
  const isUp = stores.every(({ error }) => error === undefined);
  const problems = [
    ...problemsOf(stores),
    ...(isUp ? await schemaProblems(config) : ['The schema was not looked at, because a store did not answer.']),
  ];
  output.result({ stores, problems }, `${table(stores)}\n\n${list(problems)}`);
  return problems.length === 0 ? ExitCode.ok : ExitCode.differs;
}

/** Each problem once, with the stores that have it: several may be on one server. */
function problemsOf(stores: readonly StoreDiagnosis[]): string[] {
  const sufferers = new Map<string, string[]>();
  for (const diagnosis of stores) {
    for (const problem of problemsOfOne(diagnosis)) {
      sufferers.set(problem, [...(sufferers.get(problem) ?? []), diagnosis.store]);
    }
  }
  return [...sufferers].map(([problem, names]) => `${names.join(', ')}: ${problem}`);
}

function problemsOfOne({ server, clockSkewMs, error }: StoreDiagnosis): string[] {
  if (error !== undefined) return [`${error.message} (${error.code})`];
  const skew =
    clockSkewMs !== undefined && Math.abs(clockSkewMs) > MAX_SKEW_MS
      ? [`the server's clock is ${Math.abs(clockSkewMs)} ms ${clockSkewMs > 0 ? 'ahead of' : 'behind'} this machine's`]
      : [];
  return [...skew, ...(server?.missing ?? []).map((what) => `missing ${what}`)];
}

async function schemaProblems({ migrations: _, ...options }: StoreweaveConfig): Promise<string[]> {
  try {
    await using weave = await Storeweave.open({ ...options, schema: 'ignore' });
    const plan = await weave.schema.plan();
    if (plan.isEmpty) return [];
    return [`The schema differs from the entities in ${plan.changes.length} places: storeweave schema plan`];
  } catch (error) {
    // A mistake in the entities is a finding of the doctor, and no reason to hide the others.
    if (error instanceof StoreweaveError) return [`${error.message} (${error.code})`];
    throw error;
  }
}

function table(stores: readonly StoreDiagnosis[]): string {
  const head = ['store', 'server', 'latency', 'clock', 'models', 'transactions', 'commit over stores'];
  const rows = stores.map(({ store, server, latencyMs, clockSkewMs, capabilities, error }) => [
    store,
    error !== undefined ? 'no answer' : server === undefined ? 'unknown' : `${server.product} ${server.version}`,
    latencyMs === undefined ? '-' : `${latencyMs} ms`,
    clockSkewMs === undefined ? '-' : `${clockSkewMs > 0 ? '+' : ''}${clockSkewMs} ms`,
    capabilities.models.join(', '),
    capabilities.transactions?.isolation.join(', ') ?? 'none',
    roles(capabilities.commit),
  ]);
  return columns([head, ...rows]);
}

function roles(commit: StoreDiagnosis['capabilities']['commit']): string {
  const held = Object.entries(commit ?? {}).filter(([, holds]) => holds);
  return held.length === 0 ? 'none' : held.map(([role]) => role).join(', ');
}

function list(problems: readonly string[]): string {
  return problems.length === 0 ? 'Everything is as it should be.' : problems.map((each) => `- ${each}`).join('\n');
}
