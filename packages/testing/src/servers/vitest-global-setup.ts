/**
 * `globalSetup` for Vitest: tests then share one server of each kind by `sharedPostgres()`, started when the first of
 * them asks. At the end of the run it says which servers were tested and which could not be had, and why.
 */
import { NOT_TESTED } from './prerequisites.js';
import { keepServers } from './shared.js';

/** Called by Vitest before the first test; resolves with what it calls after the last. */
export default async function setup(): Promise<() => Promise<void>> {
  const keeper = await keepServers();
  return async () => {
    const { tested, notTested } = await keeper.stop();
    for (const server of tested) console.log(`Tested on ${server}`);
    const leftOut = (process.env[NOT_TESTED] ?? '').split('\n').filter((line) => line !== '');
    for (const server of [...notTested, ...leftOut]) console.error(`NOT TESTED: ${server}`);
  };
}
