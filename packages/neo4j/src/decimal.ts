/**
 * Decimals as text whose alphabetical order is their numeric order, because Neo4j has no exact decimal type: the number
 * of digits before the point goes first, and a negative number is written by the nines' complement of its digits.
 * Every number has one spelling, so that equality and unique constraints hold; 12.50 and 12.5 are the same.
 */
import { InvalidValueError } from '@storeweave/core';

const MOST_DIGITS = 9_999;
const PATTERN = /^([+-]?)0*(\d+)(?:\.(\d*?)0*)?$/;

/** `-12.50` becomes `-9997:87.4~`, `12.50` becomes `0002:12.5`. */
export function encodeDecimal(text: string): string {
  const match = PATTERN.exec(text);
  if (match === null) throw new InvalidValueError(`"${text}" is not a decimal number.`);
  const [, sign = '', whole = '0', fraction = ''] = match;
  if (whole.length > MOST_DIGITS) {
    throw new InvalidValueError(`A decimal may have ${MOST_DIGITS} digits before the point, this has ${whole.length}.`);
  }
  const digits = fraction === '' ? whole : `${whole}.${fraction}`;
  if (sign !== '-' || /^[0.]*$/.test(digits)) return `${String(whole.length).padStart(4, '0')}:${digits}`;
  return `-${String(MOST_DIGITS - whole.length).padStart(4, '0')}:${complement(digits)}~`;
}

/** The number as plain text; with `scale`, with that many digits after the point. */
export function decodeDecimal(encoded: string, scale?: number): string {
  const negative = encoded.startsWith('-');
  const digits = encoded.slice(encoded.indexOf(':') + 1);
  const plain = negative ? `-${complement(digits.slice(0, -1))}` : digits;
  if (scale === undefined || scale === 0) return plain;
  const [whole = '0', fraction = ''] = plain.split('.');
  return `${whole}.${fraction.padEnd(scale, '0')}`;
}

/** Exact sum of two decimals. */
export function addDecimals(a: string, b: string): string {
  const scale = Math.max(fractionOf(a).length, fractionOf(b).length);
  const total = unitsOf(a, scale) + unitsOf(b, scale);
  const digits = String(total < 0n ? -total : total).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return total < 0n ? `-${text}` : text;
}

function complement(digits: string): string {
  return digits.replace(/\d/g, (digit) => String(9 - Number(digit)));
}

function fractionOf(text: string): string {
  return text.split('.')[1] ?? '';
}

function unitsOf(text: string, scale: number): bigint {
  const [whole = '0'] = text.split('.');
  return BigInt(whole.replace('+', '') + fractionOf(text).padEnd(scale, '0'));
}
