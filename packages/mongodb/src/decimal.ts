/**
 * Decimals of any length. MongoDB's Decimal128 has 34 digits: what fits in it exactly is kept in it. A property that
 * may be longer (no `precision`, or one above 34) keeps what does not fit as `{ near, exact }`: `near` is the value
 * rounded down to 34 digits, and `exact` a text that sorts like the number. Together they compare and sort exactly.
 */
import type { Field } from '@storeweave/core';
import { Decimal128 } from 'mongodb';

const DIGITS = 34;
/** Exponents beyond this are outside of what Decimal128 can say without loss. */
const SMALLEST_EXPONENT = -6143;
const LARGEST_EXPONENT = 6111;

/** A decimal that has more digits than Decimal128. */
export interface LongDecimal {
  readonly near: Decimal128;
  readonly exact: string;
}

/** True for a field whose values may need the long form. */
export function mayBeLong(field: Field): boolean {
  return field.type === 'decimal' && (field.precision === undefined || field.precision > DIGITS);
}

/** Sign, digits without zeros at either end, and the power of ten of the last digit. */
interface Parts {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

function partsOf(text: string): Parts {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  return { negative, digits, exponent: all.length - digits.length - fraction.length };
}

/** The value as Decimal128, its written digits kept where there is room; undefined where it does not fit exactly. */
export function toDecimal128(text: string): Decimal128 | undefined {
  const { negative, digits, exponent } = partsOf(text);
  if (digits.length > DIGITS || exponent < SMALLEST_EXPONENT || exponent > LARGEST_EXPONENT) return undefined;
  const written = text.replace(/^[+-]?0*|\./g, '');
  if (written.length <= DIGITS) return Decimal128.fromString(text);
  return Decimal128.fromString(`${negative ? '-' : ''}${digits === '' ? '0' : digits}E${exponent}`);
}

/** The greatest Decimal128 that is not above the value. */
export function floorDecimal128(text: string): Decimal128 {
  const { negative, digits, exponent } = partsOf(text);
  const kept = digits.slice(0, DIGITS);
  const isExact = kept.length === digits.length;
  const units = BigInt(kept === '' ? '0' : kept) + (negative && !isExact ? 1n : 0n);
  return Decimal128.fromString(`${negative ? '-' : ''}${units}E${exponent + digits.length - kept.length}`);
}

export function encodeDecimal(text: string): Decimal128 | LongDecimal {
  return toDecimal128(text) ?? { near: floorDecimal128(text), exact: sortableText(text) };
}

export function decodeDecimal(found: unknown): string {
  if (found instanceof Decimal128) return plainText(found.toString());
  if (typeof found === 'object' && found !== null && 'exact' in found) return fromSortable(String(found.exact));
  return plainText(String(found));
}

/** `1.5E-7` as `0.00000015`. */
function plainText(text: string): string {
  const [mantissa = '', power] = text.split('E');
  if (power === undefined) return text;
  const negative = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = whole + fraction;
  const point = whole.length + Number(power);
  if (point >= digits.length) return negative + (digits.replace(/^0+(?=\d)/, '') + '0'.repeat(point - digits.length));
  if (point <= 0) return `${negative}0.${'0'.repeat(-point)}${digits}`;
  return `${negative}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const OFFSET = 5_000_000_000;

/**
 * A text whose order is the order of the numbers: sign, place of the first digit, digits. Of a negative number both are
 * turned round, and a mark behind the last digit puts the longer one first.
 */
export function sortableText(text: string): string {
  const { negative, digits, exponent } = partsOf(text);
  if (digits === '') return 'm';
  const place = String(OFFSET + exponent + digits.length).padStart(10, '0');
  return negative ? `a${turned(place)}${turned(digits)}~` : `z${place}${digits}`;
}

function fromSortable(text: string): string {
  if (text === 'm') return '0';
  const negative = text.startsWith('a');
  const place = text.slice(1, 11);
  const rest = negative ? turned(text.slice(11, -1)) : text.slice(11);
  const first = Number(negative ? turned(place) : place) - OFFSET;
  return plainText(`${negative ? '-' : ''}${rest}E${first - rest.length}`);
}

function turned(digits: string): string {
  return digits.replace(/\d/g, (digit) => String(9 - Number(digit)));
}
