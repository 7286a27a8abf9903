/**
 * Instants as PostgreSQL writes and reads them, exact to the microsecond and for every year. `Date` parses neither the
 * years before 1 nor microseconds, and is several times slower than reading the digits.
 */
import { InvalidValueError } from '@storeweave/core';

const MS_PER_DAY = 86_400_000;

/** Days from 1970-01-01 of a date in the proleptic Gregorian calendar; year 0 is 1 BC. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

const pattern =
  /^(\d{4,})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?( BC)?$/;

/** Whole milliseconds (floored) and the microseconds within them. */
function parse(text: string): { readonly ms: number; readonly micros: number } {
  const m = pattern.exec(text);
  if (m === null)
    throw new InvalidValueError(`The database answered "${text}", which is not a timestamp with a time zone.`);
  const year = m[12] === undefined ? Number(m[1]) : 1 - Number(m[1]);
  const fraction = Number((m[7] ?? '').padEnd(6, '0'));
  const offset = Number(m[9]) * 3600 + Number(m[10] ?? 0) * 60 + Number(m[11] ?? 0);
  const seconds = Number(m[4]) * 3600 + Number(m[5]) * 60 + Number(m[6]) - (m[8] === '-' ? -offset : offset);
  const ms = Math.floor(fraction / 1000);
  return {
    ms: daysFromCivil(year, Number(m[2]), Number(m[3])) * MS_PER_DAY + seconds * 1000 + ms,
    micros: fraction - ms * 1000,
  };
}

const digits = (text: string, at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;

/** Days of the last date read: rows that follow one another often share it. */
let lastDate = '';
let lastDays = 0;

/** Milliseconds since the epoch. `infinity` is the number. */
export function timestampToMs(text: string): number {
  const length = text.length;
  // 'YYYY-MM-DD hh:mm:ss[.f…]+00'
  if (
    length >= 22 &&
    length <= 29 &&
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(length - 3) === 43 &&
    text.endsWith('+00')
  ) {
    const date = text.slice(0, 10);
    if (date !== lastDate) {
      lastDays = daysFromCivil(digits(text, 0) * 100 + digits(text, 2), digits(text, 5), digits(text, 8));
      lastDate = date;
    }
    let ms = lastDays * MS_PER_DAY + digits(text, 11) * 3_600_000 + digits(text, 14) * 60_000 + digits(text, 17) * 1000;
    if (length > 23) ms += (text.charCodeAt(20) - 48) * 100;
    if (length > 24) ms += (text.charCodeAt(21) - 48) * 10;
    if (length > 25) ms += text.charCodeAt(22) - 48;
    return ms;
  }
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  return parse(text).ms;
}

/** Microseconds since the epoch. */
export function timestampToMicros(text: string): bigint {
  const { ms, micros } = parse(text);
  return BigInt(ms) * 1000n + BigInt(micros);
}

const FIRST_DAY = daysFromCivil(1, 1, 1);
const LAST_DAY = daysFromCivil(9999, 12, 31);
const twoDigits = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const threeDigits = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));

/** Date of the last day written: rows that follow one another often share it. */
let writtenDay = Number.NaN;
let writtenDate = '';

/** Text of milliseconds since the epoch, in UTC. Throws `RangeError` outside the years that `Date` has. */
export function msToTimestamp(ms: number): string {
  const day = Math.floor(ms / MS_PER_DAY);
  if (day >= FIRST_DAY && day <= LAST_DAY && Number.isInteger(ms)) {
    if (day !== writtenDay) {
      writtenDate = new Date(day * MS_PER_DAY).toISOString().slice(0, 11);
      writtenDay = day;
    }
    const rest = ms - day * MS_PER_DAY;
    const minutes = Math.floor(rest / 60_000);
    const milliseconds = rest - minutes * 60_000;
    const seconds = Math.floor(milliseconds / 1000);
    return `${writtenDate}${twoDigits[Math.floor(minutes / 60)]}:${twoDigits[minutes % 60]}:${twoDigits[seconds]}.${threeDigits[milliseconds % 1000]}Z`;
  }
  if (ms === Number.POSITIVE_INFINITY) return 'infinity';
  if (ms === Number.NEGATIVE_INFINITY) return '-infinity';
  const iso = new Date(ms).toISOString();
  const sign = iso.charCodeAt(0);
  if (sign === 43) return iso.slice(1).replace(/^0+(?=\d{4})/, '');
  if (sign !== 45 && !iso.startsWith('0000-')) return iso;
  // Year 0 and before: PostgreSQL counts 1 BC, 2 BC …
  const dash = iso.indexOf('-', 1);
  const year = String(1 - Number(iso.slice(0, dash))).padStart(4, '0');
  return `${year}${iso.slice(dash)} BC`;
}

/** Text of microseconds since the epoch, in UTC. */
export function microsToTimestamp(micros: bigint): string {
  let ms = micros / 1000n;
  let rest = micros % 1000n;
  if (rest < 0n) {
    rest += 1000n;
    ms -= 1n;
  }
  return msToTimestamp(Number(ms)).replace('Z', `${String(rest).padStart(3, '0')}Z`);
}
