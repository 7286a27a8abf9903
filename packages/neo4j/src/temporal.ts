/** Instants and calendar dates between their neutral form and the driver's types, to the nanosecond. */
import { InvalidValueError, type TimePrecision, type Value } from '@storeweave/core';
import { Date as Neo4jDate, DateTime as Neo4jDateTime } from 'neo4j-driver';

/** Units of a precision in a second. */
const UNITS: Record<TimePrecision, bigint> = { ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n };
const NANOS = 1_000_000_000n;
/** What a JavaScript Date reaches, in seconds. */
const LAST_SECOND = 8_640_000_000_000n;

/** An instant in UTC. Throws `InvalidValueError` beyond the years that a JavaScript Date reaches. */
export function toDateTime(value: Value, precision: TimePrecision): Neo4jDateTime<number> {
  let seconds: number;
  let nanos: number;
  if (precision === 'ms') {
    const ms = Number(value);
    seconds = Math.floor(ms / 1_000);
    nanos = (ms - seconds * 1_000) * 1_000_000;
  } else {
    const total = BigInt(value as bigint);
    const units = UNITS[precision];
    const rest = ((total % units) + units) % units;
    const whole = (total - rest) / units;
    if (whole > LAST_SECOND || whole < -LAST_SECOND) {
      throw new InvalidValueError(`The instant ${total} (${precision}) is beyond the years that a date can have.`);
    }
    seconds = Number(whole);
    nanos = Number((rest * NANOS) / units);
  }
  const date = new Date(seconds * 1_000);
  return new Neo4jDateTime(
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    nanos,
    0,
  );
}

export function fromDateTime(value: Value, precision: TimePrecision): number | bigint {
  const { year, month, day, hour, minute, second, nanosecond, timeZoneOffsetSeconds } = value as Neo4jDateTime<bigint>;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const ms = date.getTime() - Number(timeZoneOffsetSeconds ?? 0) * 1_000;
  if (precision === 'ms') return ms + Math.floor(Number(nanosecond) / 1_000_000);
  return (BigInt(ms) / 1_000n) * UNITS[precision] + (BigInt(nanosecond) * UNITS[precision]) / NANOS;
}

export function toDate(text: string): Neo4jDate<number> {
  const [year = 0, month = 1, day = 1] = text.split('-').map(Number);
  return new Neo4jDate(year, month, day);
}

export function fromDate(value: Value): string {
  const { year, month, day } = value as Neo4jDate<bigint>;
  return [String(year).padStart(4, '0'), String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('-');
}
