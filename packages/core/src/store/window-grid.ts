/**
 * Where windows of time begin: fixed lengths aligned to the epoch, and calendar units of a time zone, where a day may
 * have 23 or 25 hours. For stores whose server cannot cut time so by itself; the ones that can agree with it.
 */
import type { WindowSize } from './series.js';

/** Windows of one length, one after the other. Each is named by its start, in milliseconds since the epoch. */
export interface WindowGrid {
  /** Start of the window that an instant falls into. */
  startOf(ms: number): number;
  /** Start of the window after the one with this start. */
  next(start: number): number;
}

const DAY = 86_400_000;

/** The windows of a length. */
export function windowGrid(size: WindowSize): WindowGrid {
  if ('ms' in size) {
    // Whole weeks begin on Monday, as those of the calendar do; 1969-12-29 was one.
    const origin = size.ms % (7 * DAY) === 0 ? -3 * DAY : 0;
    return {
      startOf: (ms) => Math.floor((ms - origin) / size.ms) * size.ms + origin,
      next: (start) => start + size.ms,
    };
  }
  const { calendar, count, timeZone } = size;
  const zone = new Zone(timeZone);
  // Number of the unit that a local day lies in, and the first local day of a unit.
  const unitOf = (day: number): number => {
    const date = new Date(day * DAY);
    if (calendar === 'day') return day;
    if (calendar === 'week') return Math.floor((day + 3) / 7); // 1969-12-29 was a Monday
    const months = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    return calendar === 'month' ? months : date.getUTCFullYear() - 1970;
  };
  const dayOf = (unit: number): number => {
    if (calendar === 'day') return unit;
    if (calendar === 'week') return unit * 7 - 3;
    return Date.UTC(1970 + (calendar === 'year' ? unit : 0), calendar === 'month' ? unit : 0, 1) / DAY;
  };
  const groupOf = (ms: number) => Math.floor(unitOf(Math.floor(zone.local(ms) / DAY)) / count);
  return {
    startOf: (ms) => zone.instant(dayOf(groupOf(ms) * count) * DAY),
    next: (start) => zone.instant(dayOf((groupOf(start) + 1) * count) * DAY),
  };
}

class Zone {
  readonly #format: Intl.DateTimeFormat;
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The clock on the wall, as if it were UTC. */
  local(ms: number): number {
    const parts = Object.fromEntries(this.#format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const wall = Date.UTC(parts.year ?? 0, (parts.month ?? 1) - 1, parts.day, parts.hour, parts.minute, parts.second);
    return wall + (((ms % 1000) + 1000) % 1000);
  }

  /** The instant at which the clock shows this; where a change of clocks skips it, the change itself. */
  instant(wall: number): number {
    let ms = wall - (this.local(wall) - wall);
    ms = wall - (this.local(ms) - ms);
    return this.local(ms) < wall ? ms + (wall - this.local(ms)) : ms;
  }
}
