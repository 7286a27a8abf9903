/**
 * Looks at stores one by one, so that one that cannot be reached hides nothing about the others: who answers there, how
 * long it takes, how far its clock is from ours, and what it lacks.
 */
import { ConfigurationError } from '../errors/errors.js';
import { StoreweaveError } from '../errors/storeweave-error.js';
import type { Capabilities } from '../store/capabilities.js';
import type { StoreInspection } from '../store/inspection.js';
import type { Store } from '../store/store.js';

/** What was found about one store. */
export interface StoreDiagnosis {
  /** Logical name. */
  readonly store: string;
  /** Stores with the same name here commit together. */
  readonly domain: string;
  readonly capabilities: Capabilities;
  /** Absent where the store did not answer, or tells nothing of itself. */
  readonly server?: StoreInspection;
  /** Median of the round trips, in milliseconds. */
  readonly latencyMs?: number;
  /** Server's clock minus ours, in milliseconds, as exact as the quickest round trip; positive: the server is ahead. */
  readonly clockSkewMs?: number;
  /** Why it did not answer. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface DiagnoseOptions {
  /** Round trips to each store. Default: 5. */
  readonly samples?: number;
  /** Limit on each of them, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
}

/** Opens each store on its own, without entities, asks it, and closes it again. They must not be open already. */
export async function diagnose(
  stores: Readonly<Record<string, Store>>,
  options: DiagnoseOptions = {},
): Promise<StoreDiagnosis[]> {
  const found: StoreDiagnosis[] = [];
  for (const [name, store] of Object.entries(stores)) {
    const about = { store: name, domain: store.domain.name, capabilities: store.capabilities };
    try {
      await store.open({ name, entities: [] });
      try {
        found.push({ ...about, capabilities: store.capabilities, ...(await examine(store, options)) });
      } finally {
        await store.close();
      }
    } catch (error) {
      found.push({ ...about, error: { code: codeOf(error), message: messageOf(error) } });
    }
  }
  return found;
}

async function examine(
  store: Store,
  { samples = 5, timeoutMs = 10_000 }: DiagnoseOptions,
): Promise<Pick<StoreDiagnosis, 'server' | 'latencyMs' | 'clockSkewMs'>> {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new ConfigurationError(`diagnose() takes a number of samples of 1 or more, not ${samples}.`);
  }
  if (store.inspect === undefined) return {};
  const trips: { readonly ms: number; readonly skew: number | undefined; readonly server: StoreInspection }[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const sentAt = Date.now();
    const started = performance.now();
    const server = await store.inspect({ label: 'doctor', timeoutMs });
    const ms = performance.now() - started;
    // The answer was made about half-way.
    trips.push({ ms, server, skew: server.clockMs === undefined ? undefined : server.clockMs - (sentAt + ms / 2) });
  }
  trips.sort((a, b) => a.ms - b.ms);
  const [quickest] = trips;
  const middle = trips[trips.length >> 1];
  if (quickest === undefined || middle === undefined) return {};
  return {
    server: quickest.server,
    latencyMs: round(middle.ms),
    ...(quickest.skew !== undefined && { clockSkewMs: round(quickest.skew) }),
  };
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function codeOf(error: unknown): string {
  return error instanceof StoreweaveError ? error.code : 'UNKNOWN';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
