/** Ranges of time that partitions cover, in microseconds since the epoch: which a point falls into, and which to make. */
import { msToTimestamp, timestampToMicros } from '@storeweave/sql';

/** How much time one partition covers. */
export type PartitionUnit = 'day' | 'week' | 'month' | 'year';

/** From (included) to (excluded); absent ends are open. */
export interface TimeRange {
  readonly from?: bigint;
  readonly to?: bigint;
}

const DAY = 86_400_000;

export function covers(range: TimeRange, micros: bigint): boolean {
  return (range.from === undefined || micros >= range.from) && (range.to === undefined || micros < range.to);
}

/** The unit's range around an instant, in UTC; weeks begin on Monday. */
export function rangeAround(micros: bigint, unit: PartitionUnit): { readonly from: bigint; readonly to: bigint } {
  const ms = Number(micros >= 0n ? micros / 1000n : (micros - 999n) / 1000n);
  const day = Math.floor(ms / DAY);
  if (unit === 'day') return days(day, day + 1);
  if (unit === 'week') {
    const monday = Math.floor((day + 3) / 7) * 7 - 3;
    return days(monday, monday + 7);
  }
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  if (unit === 'year') return days(dayOf(year, 0), dayOf(year + 1, 0));
  const month = date.getUTCMonth();
  return days(dayOf(year, month), dayOf(year, month + 1));
}

/** Number of the day on which a month begins; `Date.UTC` takes the years before 100 for others. */
function dayOf(year: number, month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 1);
  return date.getTime() / DAY;
}

function days(from: number, to: number): { readonly from: bigint; readonly to: bigint } {
  return { from: BigInt(from) * BigInt(DAY) * 1000n, to: BigInt(to) * BigInt(DAY) * 1000n };
}

/**
 * Ranges to add, so that all of these instants are covered and none overlaps what is there. A database that was
 * partitioned by another unit before keeps its partitions; new ones fit themselves in between.
 */
export function missingRanges(
  instants: readonly bigint[],
  there: readonly TimeRange[],
  unit: PartitionUnit,
): Required<TimeRange>[] {
  const made: Required<TimeRange>[] = [];
  for (const instant of instants) {
    if (made.some((range) => covers(range, instant)) || there.some((range) => covers(range, instant))) continue;
    let { from, to } = rangeAround(instant, unit);
    for (const other of there) {
      if (other.to !== undefined && other.to <= instant && other.to > from) from = other.to;
      if (other.from !== undefined && other.from > instant && other.from < to) to = other.from;
    }
    made.push({ from, to });
  }
  return made;
}

/** Text of an instant that falls on a whole millisecond. */
export function instantText(micros: bigint): string {
  return msToTimestamp(Number(micros / 1000n));
}

const bounds = /^FOR VALUES FROM \((.+)\) TO \((.+)\)$/;

/** The range of a partition as the catalogue spells it; undefined for a default partition. */
export function parseRange(text: string): TimeRange | undefined {
  const found = bounds.exec(text);
  if (found === null) return undefined;
  const end = (bound = ''): bigint | undefined =>
    bound.startsWith("'") ? timestampToMicros(bound.slice(1, -1)) : undefined;
  return { from: end(found[1]), to: end(found[2]) };
}
