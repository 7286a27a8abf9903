/** The user's own SQL with bound parameters, in the running transaction. Answers have the types that the database says. */
import { type Access, InvalidValueError, type RelationalStore } from '@storeweave/core';
import { isStorable } from './encode.js';
import type { SqlDomain } from './session.js';

export class RawSql implements RelationalStore {
  constructor(private readonly domain: SqlDomain) {}

  async sql(text: string, values: readonly unknown[], access: Access): Promise<Record<string, unknown>[]> {
    const { dialect } = this.domain;
    const encoded = values.map((value, i) =>
      value === null || value === undefined ? null : checked(dialect.rawValue(value), i),
    );
    const { rows, columns, types } = await this.domain.use(access, (session) =>
      session.query({ text, values: encoded, describe: true, verbatim: true }),
    );
    const decoders = types.map((type) => dialect.decoderOfType(type));
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
    return this.domain.dialect.placeholder(n);
  }

  quote(name: string): string {
    return this.domain.dialect.quote(name);
  }
}

/** The server knows a parameter's type from where it stands. */
function checked(value: unknown, position: number): string {
  // Drivers that bind what JavaScript has are given it as it is.
  if (value !== undefined && (typeof value !== 'string' || isStorable(value))) return value as string;
  throw new InvalidValueError(
    `Parameter ${position + 1} of the statement cannot be sent: it has no text form, or has a NUL character in it.`,
  );
}
