/**
 * Windows of time as SQL: the start of the window that an instant falls into, and all starts between two instants.
 * Fixed lengths count from the epoch, whole weeks from the Monday before it; calendar units count from 1970 by the
 * clock of their zone.
 */
import { type EntityModel, InvalidQueryError, type WindowSize } from '@storeweave/core';
import { microsToTimestamp, type Scope } from '@storeweave/sql';

export interface Bins {
  /** Start of the window around an instant. */
  start(instant: string): string;
  /** A query whose rows are the starts, as `w`, of all windows from the one around `from` to the last before `to`. */
  grid(from: string, to: string): string;
}

const WEEK_MICROS = 604_800_000_000n;
const MONDAY_MICROS = -259_200_000_000n; // 1969-12-29
/** Bins are counted from an origin before all data: servers before 15.6 miscount the ones before their origin. */
const EARLY_MICROS = -62_135_596_800_000_000n; // 0001-01-01

export function binsOf(size: WindowSize, entity: EntityModel, scope: Scope): Bins {
  if ('ms' in size) return fixed(size.ms, entity, scope);
  const { calendar, count } = size;
  if (!['day', 'week', 'month', 'year'].includes(calendar)) throw badSize(entity, `a '${calendar}'`);
  if (!Number.isInteger(count) || count < 1) throw badSize(entity, `${count} ${calendar}s`);
  return calendar === 'day' || calendar === 'week' ? byDays(size, scope) : byMonths(size, scope);
}

function fixed(ms: number, entity: EntityModel, scope: Scope): Bins {
  const stride = Math.round(ms * 1000);
  if (!(stride >= 1) || !Number.isSafeInteger(stride)) throw badSize(entity, `${ms} ms`);
  const length = scope.parameter(`${stride} microseconds`, 'interval');
  const origin = scope.parameter(
    originOf(BigInt(stride), BigInt(stride) % WEEK_MICROS === 0n ? MONDAY_MICROS : 0n),
    'timestamp with time zone',
  );
  const start = (instant: string) => `date_bin(${length}, ${instant}, ${origin})`;
  return {
    start,
    grid: (from, to) =>
      `select w from generate_series(${start(from)}, ${to} - interval '1 microsecond', ${length}) as s(w)`,
  };
}

/** The last instant before the year 1 that is a whole number of strides before `base`. */
function originOf(stride: bigint, base: bigint): string {
  return microsToTimestamp(base - ((base - EARLY_MICROS) / stride + 1n) * stride);
}

type Calendar = Extract<WindowSize, { calendar: unknown }>;

function byDays({ calendar, count, timeZone }: Calendar, scope: Scope): Bins {
  const zone = scope.parameter(timeZone, 'text');
  const days = calendar === 'week' ? count * 7 : count;
  const stride = scope.parameter(`${days} days`, 'interval');
  const origin = scope.parameter(
    originOf(BigInt(days) * 86_400_000_000n, calendar === 'week' ? MONDAY_MICROS : 0n),
    'timestamp',
  );
  return local((clock) => `date_bin(${stride}, ${clock}, ${origin})`, stride, zone);
}

function byMonths({ calendar, count, timeZone }: Calendar, scope: Scope): Bins {
  const zone = scope.parameter(timeZone, 'text');
  const start = (clock: string) => {
    const whole = `date_trunc('${calendar}', ${clock})`;
    if (count === 1) return whole;
    const years = `extract(year from ${clock})::integer - 1970`;
    const units = calendar === 'year' ? `(${years})` : `((${years}) * 12 + extract(month from ${clock})::integer - 1)`;
    // The remainder of a negative number is negative: twice, for the time before 1970.
    return `${whole} - make_interval(${calendar}s => ((${units} % ${count}) + ${count}) % ${count})`;
  };
  // The name of the unit and the number are checked, so they may stand in the text.
  return local(start, `interval '${count} ${calendar}s'`, zone);
}

function local(start: (clock: string) => string, stride: string, zone: string): Bins {
  const clock = (instant: string) => `(${instant} at time zone ${zone})`;
  return {
    start: (instant) => `((${start(clock(instant))}) at time zone ${zone})`,
    grid: (from, to) =>
      `select w from (select (c at time zone ${zone}) as w from generate_series(${start(clock(from))}, ${clock(to)} + ${stride}, ${stride}) as s(c)) g where w < ${to}`,
  };
}

function badSize(entity: EntityModel, size: string): InvalidQueryError {
  return new InvalidQueryError(
    `A window of ${size} over ${entity.name} is no length of time. Give a positive number.`,
    { entity: entity.name },
  );
}
