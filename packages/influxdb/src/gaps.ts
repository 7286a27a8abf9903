/** Windows without a value: the value before them, or a line between their neighbours. */
import type { Value, WindowSpec } from '@storeweave/core';

/** Fills the columns of a table whose rows begin at `starts`, in place. What has no neighbour to go by stays null. */
export function fillGaps(kind: WindowSpec['fill'], starts: readonly number[], table: Value[][]): void {
  if (kind !== 'previous' && kind !== 'linear') return;
  for (let column = 0; column < (table[0]?.length ?? 0); column++) {
    const at = (i: number) => table[i]?.[column] ?? null;
    let previous = -1;
    for (const [i, row] of table.entries()) {
      if (row[column] !== null) {
        previous = i;
        continue;
      }
      if (previous < 0) continue;
      if (kind === 'previous') {
        row[column] = at(previous);
        continue;
      }
      let next = i + 1;
      while (next < table.length && at(next) === null) next++;
      if (next >= table.length) continue;
      const share = ((starts[i] ?? 0) - (starts[previous] ?? 0)) / ((starts[next] ?? 0) - (starts[previous] ?? 0));
      const low = Number(at(previous));
      row[column] = low + (Number(at(next)) - low) * share;
      // The line goes on from here.
      previous = i;
    }
  }
}
