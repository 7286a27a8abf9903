/** Runs the suite without a test framework, for `npm run contract` and for reports. */
import { type ContractCase, type Excuse, missing, reopening } from './case.js';
import { contractCases } from './cases.js';
import { ContractFixture, type OpenStores } from './fixture.js';

export interface ContractOptions {
  readonly open: OpenStores;
  /** Makes an empty database, and gives what opens stores over it as often as it is called, one at a time. */
  readonly reopenable?: () => Promise<OpenStores>;
  /** What the plugin is known not to do; each needs a reason, and one that excuses nothing is an error. */
  readonly excuses?: readonly Excuse[];
  /** Limit on each case in milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

export interface ContractReport {
  readonly passed: readonly string[];
  readonly failed: readonly { readonly test: string; readonly error: unknown }[];
  readonly excused: readonly { readonly test: string; readonly reason: string }[];
}

export interface RunOptions extends ContractOptions {
  /** Only cases whose name contains this. */
  readonly only?: string;
  /** Told after each case. */
  readonly onCase?: (name: string, outcome: 'passed' | 'failed' | 'excused', detail?: unknown) => void;
}

/** Why a case is not run on these stores; undefined: it is. */
export function excuseFor(given: ContractCase, fixture: ContractFixture, options: ContractOptions): string | undefined {
  if (given.needs.includes(reopening) && options.reopenable === undefined)
    return 'the plugin gave no database that can be opened again';
  const named = options.excuses?.find((excuse) => given.name.startsWith(excuse.test));
  return missing(given.needs, fixture.stores) ?? named?.reason;
}

/** Excuses that excuse no case: misspelt, or out of date. */
export function idleExcuses(excuses: readonly Excuse[] = []): string[] {
  return excuses
    .filter((excuse) => !contractCases.some((given) => given.name.startsWith(excuse.test)))
    .map((excuse) => excuse.test);
}

/** Runs every case that the stores claim. Never throws for a failing case. */
export async function runContract(options: RunOptions): Promise<ContractReport> {
  const passed: string[] = [];
  const failed: { test: string; error: unknown }[] = [];
  const excused: { test: string; reason: string }[] = [];
  for (const idle of idleExcuses(options.excuses))
    failed.push({ test: idle, error: new Error(`No case is called ${idle}: take the excuse away.`) });
  const fixture = new ContractFixture(options.open, options.reopenable);
  try {
    await fixture.open();
  } catch (error) {
    await fixture.close();
    return { passed, failed: [...failed, { test: 'opening the stores', error }], excused };
  }
  try {
    for (const given of contractCases) {
      if (options.only !== undefined && !given.name.includes(options.only)) continue;
      const reason = excuseFor(given, fixture, options);
      if (reason !== undefined) {
        excused.push({ test: given.name, reason });
        options.onCase?.(given.name, 'excused', reason);
        continue;
      }
      try {
        await limited(fixture.run(given), options.timeoutMs ?? 30_000, given.name);
        passed.push(given.name);
        options.onCase?.(given.name, 'passed');
      } catch (error) {
        failed.push({ test: given.name, error });
        options.onCase?.(given.name, 'failed', error);
      }
    }
  } finally {
    await fixture.close();
  }
  return { passed, failed, excused };
}

async function limited(work: Promise<void>, limitMs: number, name: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not end within ${limitMs} ms.`)), limitMs);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
