/** The user's own SQL with bound parameters, in the running transaction. Answers have the types that the database says. */
import { type Access, InvalidValueError, JSON_NULL, type RelationalStore } from '@storeweave/core';
import { arrayLiteral, quoteElement } from './array-literal.js';
import { isStorable } from './encode.js';
import { quoteName } from './identifier.js';
import { decoderOfType } from './native-types.js';
import type { SqlDomain } from './session.js';
import { msToTimestamp } from './timestamp-text.js';

export class RawSql implements RelationalStore {
  constructor(private readonly domain: SqlDomain) {}

  async sql(text: string, values: readonly unknown[], access: Access): Promise<Record<string, unknown>[]> {
    const encoded = values.map((value, i) => (value === null || value === undefined ? null : textOf(value, i)));
    const { rows, columns, types } = await this.domain.use(access, (session) =>
      session.query({ text, values: encoded, describe: true }),
    );
    const decoders = types.map(decoderOfType);
    return rows.map((row) => {
      const out: Record<string, unknown> = {};
      for (let i = 0; i < columns.length; i++) {
        const value = row[i];
        const decode = decoders[i];
        out[columns[i] as string] =
          value === null || value === undefined ? null : decode === undefined ? value : decode(value);
      }
      return out;
    });
  }

  placeholder(n: number): string {
    return `$${n}`;
  }

  quote(name: string): string {
    return quoteName(name);
  }
}

/** A parameter as text; the server knows its type from where it stands. */
function textOf(value: unknown, position: number): string {
  const text = plainText(value);
  if (text !== undefined && isStorable(text)) return text;
  throw new InvalidValueError(
    `Parameter ${position + 1} of the statement cannot be sent: it has no text form, or has a NUL character in it.`,
  );
}

function plainText(value: unknown): string | undefined {
  if (value === JSON_NULL) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value instanceof Date) return msToTimestamp(value.getTime());
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  if (Array.isArray(value)) {
    return arrayLiteral(value, (element) =>
      Array.isArray(element) ? (plainText(element) ?? '') : quoteElement(plainText(element) ?? ''),
    );
  }
  return JSON.stringify(value);
}
