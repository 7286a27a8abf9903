/** A whole run: every failpoint with every fault, then random rounds; what `npm run crash` and its test share. */
import { strikeAt } from './enumerated.js';
import { type Fault, failpointsOver, nameOf } from './failpoints.js';
import type { StoreName } from './model.js';
import { seeded } from './random.js';
import { randomRound } from './random-rounds.js';
import { type Counts, Ground } from './round.js';
import { startServers } from './servers.js';

export interface RunOptions {
  readonly stores: readonly StoreName[];
  readonly seed: number;
  /** Random rounds. */
  readonly rounds: number;
  /** Every failpoint is struck with each of these once. */
  readonly faults: readonly Fault[];
  /** Of the failpoints only those with this in their name. */
  readonly only?: string;
  /** Told after each round. */
  readonly progress?: (line: string) => void;
  /** Told all that is known of a round that was violated. Default: standard error. */
  readonly explain?: (text: string) => void;
}

export interface CrashReport extends Readonly<Counts> {
  readonly seed: number;
  readonly unitsOfWork: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Of which the caller was told that it is not known, or was told nothing. */
  readonly unanswered: number;
  /** Seconds of each phase of the rounds. */
  readonly phases: Readonly<Record<string, number>>;
  /** Failpoints with a fault each, every one of them come to. */
  readonly failpoints: number;
  readonly servers: readonly string[];
  readonly seconds: number;
  readonly violations: readonly string[];
}

/** Ends early after so many violations: what follows only follows from them. */
const ENOUGH = 20;

export async function crashRun(options: RunOptions): Promise<CrashReport> {
  const { stores, seed, rounds, faults, only = '', progress = () => {}, explain = console.error } = options;
  const began = performance.now();
  const random = seeded(seed);
  const servers = await startServers(stores);
  try {
    await using ground = await Ground.open(servers, explain);
    let told = 0;
    const tell = () => {
      const { round, stories, violations } = ground;
      for (const violation of violations.slice(told)) progress(violation);
      told = violations.length;
      progress(`round ${round}: ${stories.length} units of work, ${violations.length} violations`);
    };
    let failpoints = 0;
    for (const failpoint of failpointsOver(stores).filter((each) => nameOf(each).includes(only))) {
      for (const fault of faults) {
        if (ground.violations.length >= ENOUGH) break;
        await strikeAt(ground, failpoint, fault);
        failpoints++;
        tell();
      }
    }
    for (let round = 0; round < rounds && ground.violations.length < ENOUGH; round++) {
      await randomRound(ground, random);
      tell();
    }
    await ground.judgeAll();
    const { stories, counts, phases, violations } = ground;
    const count = (...outcomes: readonly string[]) =>
      stories.filter(({ outcome }) => outcomes.includes(outcome)).length;
    return {
      seed,
      ...counts,
      phases,
      unitsOfWork: stories.length,
      acknowledged: count('acknowledged'),
      refused: count('refused'),
      unanswered: count('unknown', 'unanswered'),
      failpoints,
      servers: servers.described,
      seconds: Math.round((performance.now() - began) / 1_000),
      violations,
    };
  } finally {
    await servers.stop();
  }
}
