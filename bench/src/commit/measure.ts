/** Times of single commits, contender after contender, and of many at a time. */
import { type BenchRow, median } from '../rounds.js';

export interface CommitRow extends BenchRow {
  /** Of single commits; the slowest of a hundred but five. */
  readonly p95Ms?: number;
  /** Of this process, until nothing of the commit is left to do. */
  readonly cpuMs: number;
  /** Round trips to all engines, until nothing is left to do; where they were counted. */
  readonly trips?: number;
}

export interface Committer {
  readonly name: string;
  commit(): Promise<unknown>;
}

export interface Surroundings {
  /** Resolves when nothing goes on in the background any more. Untimed. */
  quiet(): Promise<void>;
  /** Counts trips; absent where they are not counted. */
  readonly trips?: (() => number) | undefined;
}

/** Commits of each contender that are not timed: a server has long compiled what it runs. */
const WARM_UP = 300;

interface Taken {
  readonly ms: number[];
  cpu: number;
  trips: number;
}

/** Each takes its turn, the order reversed every other time. The first one is what the ratios refer to. */
export async function single(
  bench: string,
  committers: readonly Committer[],
  calls: number,
  around: Surroundings,
): Promise<CommitRow[]> {
  return turnByTurn(bench, 1, committers, calls, around, (committer) => committer.commit());
}

/** `writers` at a time, until `n` are through. */
export async function together(
  bench: string,
  committers: readonly Committer[],
  { writers, n, turns }: { readonly writers: number; readonly n: number; readonly turns: number },
  around: Surroundings,
): Promise<CommitRow[]> {
  return turnByTurn(bench, n, committers, turns, around, async (committer) => {
    let left = n;
    const writer = async () => {
      while (left-- > 0) await committer.commit();
    };
    await Promise.all(Array.from({ length: writers }, writer));
  });
}

async function turnByTurn(
  bench: string,
  n: number,
  committers: readonly Committer[],
  turns: number,
  { quiet, trips = () => 0 }: Surroundings,
  run: (committer: Committer) => Promise<unknown>,
): Promise<CommitRow[]> {
  const taken = new Map(committers.map((each): [Committer, Taken] => [each, { ms: [], cpu: 0, trips: 0 }]));
  const warmUp = Math.max(Math.ceil(turns / 10), Math.ceil(WARM_UP / n));
  for (let turn = -warmUp; turn < turns; turn++) {
    for (const committer of turn % 2 === 0 ? committers : [...committers].reverse()) {
      const [cpu, before] = [process.cpuUsage(), trips()];
      const start = performance.now();
      await run(committer);
      const ms = performance.now() - start;
      await quiet();
      const own = taken.get(committer);
      if (own === undefined || turn < 0) continue;
      const { user, system } = process.cpuUsage(cpu);
      own.ms.push(ms);
      own.cpu += (user + system) / 1_000;
      own.trips += trips() - before;
    }
  }
  const base = median([...taken.values()][0]?.ms ?? []);
  return [...taken].map(([{ name }, { ms, cpu, trips: count }]) => ({
    bench,
    n,
    contender: name,
    medianMs: rounded(median(ms)),
    ratio: rounded(median(ms) / base),
    ...(n === 1 && { p95Ms: rounded(percentile(ms, 0.95)) }),
    cpuMs: rounded(cpu / turns / n),
    ...(count > 0 && { trips: rounded(count / turns / n) }),
  }));
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
