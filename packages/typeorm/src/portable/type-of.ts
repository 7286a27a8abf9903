/** Types of columns as texts that can be compared. */
import type { TableColumn } from 'typeorm';

/** Names that a database writes for another. */
const aliases: Readonly<Record<string, string>> = { json: 'longtext', 'simple-json': 'text' };

const ranks: Readonly<Record<string, number>> = { tinyint: 0, int: 1, integer: 1, bigint: 2 };

export function typeOf(column: TableColumn): string {
  const { length, precision, scale } = column;
  const type = aliases[column.type] ?? column.type;
  if (type in ranks || type === 'double') return type;
  if (length !== undefined && length !== '') return `${type}(${length})`;
  if (precision !== undefined && precision !== null) {
    return scale === undefined || scale === null ? `${type}(${precision})` : `${type}(${precision},${scale})`;
  }
  return type;
}

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
