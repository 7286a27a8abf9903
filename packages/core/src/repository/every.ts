/**
 * Lengths of windows, as people write them: `'15m'`, `'1d'`, calendar days of a time zone. A day has not always 24 hours
 * where a clock is put back, so a length of days in a zone is a matter of the calendar and not of milliseconds.
 */
import { InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { describe, isPlainObject } from '../query/comparand.js';
import type { WindowSize } from '../store/series.js';

/** Calendar units; the zone is UTC if absent. */
export interface CalendarWindow {
  readonly calendar: 'day' | 'week' | 'month' | 'year';
  /** Number of units; 1 if absent. */
  readonly count?: number;
  /** IANA name, such as 'Europe/Berlin'. */
  readonly timeZone?: string;
}

/**
 * A number and a unit: ms, s, m (minutes), h, d (24 hours from midnight UTC), w (weeks from Monday), mo (months),
 * y (years); or calendar units of a time zone.
 */
export type Every = `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w' | 'mo' | 'y'}` | CalendarWindow;

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const CALENDAR: Readonly<Record<string, CalendarWindow['calendar']>> = { w: 'week', mo: 'month', y: 'year' };
const UNITS: ReadonlySet<unknown> = new Set(['day', 'week', 'month', 'year']);

export function windowSize(entity: EntityModel, every: unknown): WindowSize {
  if (typeof every === 'string') {
    const [, digits, unit = ''] = /^(\d+)(ms|s|mo|m|h|d|w|y)$/.exec(every) ?? [];
    const count = Number(digits);
    const ms = MS[unit];
    const calendar = CALENDAR[unit];
    if (Number.isSafeInteger(count) && count > 0) {
      if (ms !== undefined) return { ms: count * ms };
      if (calendar !== undefined) return { calendar, count, timeZone: 'UTC' };
    }
  } else if (isPlainObject(every) && UNITS.has(every.calendar)) {
    const { calendar, count = 1, timeZone = 'UTC' } = every;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count > 0 && typeof timeZone === 'string') {
      checkZone(entity, timeZone);
      return { calendar: calendar as CalendarWindow['calendar'], count, timeZone };
    }
  }
  throw new InvalidQueryError(
    `${entity.name}: "every" is a length such as '15m', '1h', '1d', '1w', '1mo', or { calendar: 'day', timeZone: 'Europe/Berlin' }, and this is ${isPlainObject(every) ? JSON.stringify(every) : describe(every)}.`,
    { entity: entity.name },
  );
}

function checkZone(entity: EntityModel, timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    throw new InvalidQueryError(
      `${entity.name}: "${timeZone}" is no time zone. Use an IANA name such as 'Europe/Berlin'.`,
      {
        entity: entity.name,
        cause,
      },
    );
  }
}
