/**
 * How every comparison is timed: all contenders in one process, interleaved, the order reversed every other round, a
 * few rounds thrown away, medians of the rest. Only the ratio between contenders means anything on a shared machine.
 */

/** One result line; `ratio` is to the contender named `hand-written` (or the first one). */
export interface BenchRow {
  readonly bench: string;
  /** Number of entities. */
  readonly n: number;
  readonly contender: string;
  /** Median time in milliseconds; of the memory benchmark, median bytes per entity. */
  readonly medianMs: number;
  readonly ratio: number;
}

/** What the command line asks of every benchmark. */
export interface BenchOptions {
  /** Standard output is for the result alone. */
  readonly json: boolean;
  readonly rounds: number;
  /** Rows of a run, where a benchmark asks for it. */
  readonly n?: number;
}

export interface Contender {
  readonly name: string;
  /** Untimed, before each round. */
  prepare?(): Promise<void>;
  /** Timed. Returns how many entities it handled, so that a contender that does nothing is noticed. */
  run(): Promise<number>;
  /** Untimed, after each round. */
  clean?(): Promise<void>;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly warmUp: number;
}

const collectGarbage = (globalThis as { gc?: () => void }).gc;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Times the contenders against each other; the first one is what the ratios refer to. */
export async function compare(
  bench: string,
  n: number,
  contenders: readonly Contender[],
  options: RoundOptions,
): Promise<BenchRow[]> {
  const times = new Map<string, number[]>(contenders.map((contender) => [contender.name, []]));
  for (let round = -options.warmUp; round < options.rounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) {
      await contender.prepare?.();
      collectGarbage?.();
      const start = performance.now();
      const handled = await contender.run();
      const elapsed = performance.now() - start;
      if (handled !== n) throw new Error(`${bench}: ${contender.name} handled ${handled} of ${n} entities`);
      if (round >= 0) times.get(contender.name)?.push(elapsed);
      await contender.clean?.();
    }
  }
  return rows(
    bench,
    n,
    contenders.map((contender) => [contender.name, median(times.get(contender.name) ?? [])]),
  );
}

/** Median time of one call, each contender given the same arguments, a call of each in turn. */
export async function compareCalls<A>(
  bench: string,
  given: readonly A[],
  contenders: readonly { readonly name: string; call(argument: A): Promise<unknown> }[],
  options: RoundOptions,
): Promise<BenchRow[]> {
  const times = new Map<string, number[]>(contenders.map((contender) => [contender.name, []]));
  const calls = 100;
  for (let at = -options.warmUp * calls; at < options.rounds * calls; at++) {
    const argument = given[(at + given.length) % given.length] as A;
    for (const contender of at % 2 === 0 ? contenders : [...contenders].reverse()) {
      const start = performance.now();
      const answer = await contender.call(argument);
      const elapsed = performance.now() - start;
      if (answer === undefined || answer === null) throw new Error(`${bench}: ${contender.name} found nothing`);
      if (at >= 0) times.get(contender.name)?.push(elapsed);
    }
  }
  return rows(
    bench,
    1,
    contenders.map((contender) => [contender.name, median(times.get(contender.name) ?? [])]),
  );
}

/** Bytes of heap that the result of each contender holds, per entity. */
export async function compareMemory(
  bench: string,
  n: number,
  contenders: readonly { readonly name: string; load(): Promise<unknown> }[],
  options: RoundOptions,
): Promise<BenchRow[]> {
  if (collectGarbage === undefined) throw new Error('measuring memory needs node --expose-gc');
  const sizes = new Map<string, number[]>(contenders.map((contender) => [contender.name, []]));
  for (let round = -1; round < options.rounds; round++) {
    for (const contender of contenders) {
      const bytes = await bytesHeld(contender.load, collectGarbage);
      if (!(bytes > 0)) throw new Error(`${bench}: ${contender.name} holds ${bytes} bytes`);
      if (round >= 0) sizes.get(contender.name)?.push(bytes / n);
    }
  }
  return rows(
    bench,
    n,
    contenders.map((contender) => [contender.name, median(sizes.get(contender.name) ?? [])]),
  );
}

/** A function of its own, so that what one contender loaded is gone with its frame before the next is measured. */
async function bytesHeld(load: () => Promise<unknown>, collect: () => void): Promise<number> {
  const settled = async () => {
    // More than once: what a finaliser or a closed handle lets go is only garbage in the next collection.
    for (let time = 0; time < 3; time++) {
      await new Promise(setImmediate);
      collect();
    }
    return process.memoryUsage().heapUsed;
  };
  const before = await settled();
  const held = await load();
  const bytes = (await settled()) - before;
  return held === undefined ? 0 : bytes;
}

function rows(bench: string, n: number, medians: readonly (readonly [string, number])[]): BenchRow[] {
  const base = medians[0]?.[1] ?? Number.NaN;
  return medians.map(([contender, value]) => ({
    bench,
    n,
    contender,
    medianMs: Number(value.toFixed(3)),
    ratio: Number((value / base).toFixed(3)),
  }));
}
