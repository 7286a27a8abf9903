/**
 * A store beside the batched use of its official driver by hand: both write the same new entities, a few and many of
 * them, and then load the many.
 */
import { type BenchRow, type Contender, compare } from './rounds.js';

const SIZES = [1_000, 10_000];

export interface Side<R> {
  /** Resolves with how many there were. */
  write(rows: readonly R[]): Promise<number>;
  /** Reads the `n` rows that were written last; resolves with how many were found. */
  load(n: number): Promise<number>;
}

export interface Sides<R> {
  readonly product: string;
  /** What a write is, for the table. */
  readonly writing: string;
  /** New rows, never the same ids again. */
  rows(n: number): R[];
  readonly handWritten: Side<NoInfer<R>>;
  readonly storeweave: Side<NoInfer<R>>;
  /** Removes what both have written, untimed, after each round. Absent: later rounds write over it. */
  clear?(): Promise<void>;
}

export async function besideDriver<R>(sides: Sides<R>, rounds: number): Promise<BenchRow[]> {
  const { product, writing, handWritten, storeweave, clear } = sides;
  const limits = { rounds, warmUp: 3 };
  const both = (contender: (side: Side<R>) => Omit<Contender, 'name'>): Contender[] => [
    { name: 'hand-written', ...contender(handWritten) },
    { name: 'storeweave', ...contender(storeweave) },
  ];
  const results: BenchRow[] = [];
  let current: R[] = [];
  for (const n of SIZES) {
    const prepare = async () => {
      current = sides.rows(n);
    };
    const contenders = both((side) => ({ prepare, run: () => side.write(current), clean: async () => clear?.() }));
    results.push(...(await compare(`${product}: ${writing}`, n, contenders, limits)));
  }
  const n = current.length;
  await handWritten.write(current);
  await storeweave.write(current);
  const loads = both((side) => ({ run: () => side.load(n) }));
  results.push(...(await compare(`${product}: load`, n, loads, limits)));
  await clear?.();
  return results;
}
