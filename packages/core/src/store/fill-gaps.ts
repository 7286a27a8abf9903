/**
 * Windows without a value get the value before them, or lie on a line between their neighbours. For stores whose server
 * does not fill gaps by itself, or fills them by other rules; beside `window-grid.ts`, which says where windows begin.
 */
import type { Value } from '../model/field.js';
import type { WindowSpec } from './series.js';

/**
 * Fills the columns of a table in place. Its rows are windows of one group in order of time, which begin at `starts`;
 * null is what is missing, and stays where there is no neighbour to go by.
 */
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
      // The next present value is still the end of the line for the gaps after this one.
      previous = i;
    }
  }
}
