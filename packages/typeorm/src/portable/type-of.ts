/** Types of columns as texts that can be compared. */
import type { TableColumn } from 'typeorm';

/** Lengths that the databases write where none was given. */
const impliedLength: Readonly<Record<string, string>> = { int: '11', bigint: '20', tinyint: '4' };

export function typeOf(column: TableColumn): string {
  const { type, length, precision, scale } = column;
  if (length !== undefined && length !== '' && length !== impliedLength[type]) return `${type}(${length})`;
  if (precision !== undefined && precision !== null) {
    return scale === undefined || scale === null ? `${type}(${precision})` : `${type}(${precision},${scale})`;
  }
  return type;
}

const ranks: Readonly<Record<string, number>> = { int: 1, integer: 1, bigint: 2 };

/** True where every value of `smaller` is one of `larger`, and means the same. */
export function holds(larger: TableColumn, smaller: TableColumn): boolean {
  if (typeOf(larger) === typeOf(smaller)) return true;
  const [a, b] = [ranks[larger.type], ranks[smaller.type]];
  if (a !== undefined && b !== undefined) return a >= b;
  const isText = (type: string) => ['text', 'longtext'].includes(type);
  if (isText(larger.type) && (smaller.type === 'varchar' || isText(smaller.type))) return true;
  if (larger.type !== smaller.type) return false;
  if (larger.type === 'varchar')
    return larger.length === '' || Number(larger.length) >= Number(smaller.length || Infinity);
  if (larger.type === 'datetime') return (larger.precision ?? 0) >= (smaller.precision ?? 0);
  if (larger.type !== 'decimal') return false;
  const whole = ({ precision, scale }: TableColumn) => (precision ?? 10) - (scale ?? 0);
  return whole(larger) >= whole(smaller) && (larger.scale ?? 0) >= (smaller.scale ?? 0);
}
