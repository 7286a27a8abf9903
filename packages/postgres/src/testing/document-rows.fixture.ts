/** Rows of guides for tests: short to write, with every type of value in `full`. */
import type { EntityModel, Field, Operand, Row, Value } from '@storeweave/core';
import { documentDomain, Guide, Note } from './document-model.fixture.js';

export const guide = documentDomain.of(Guide);
export const note = documentDomain.of(Note);

export const uuid = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

export function field(name: string, entity: EntityModel = guide): Field {
  const found = entity.fieldsByName.get(name);
  if (found === undefined) throw new Error(`${entity.name} has no ${name}`);
  return found;
}

export const on = (name: string, ...path: string[]): Operand =>
  path.length === 0 ? { field: field(name) } : { field: field(name), path };

/** A row of all fields; those not given are null. */
export function row(n: number, values: Record<string, Value> = {}): Row {
  const all: Record<string, Value> = { id: uuid(n), version: 1, code: `c${n}`, title: `t${n}`, visits: n, ...values };
  return guide.fields.map(({ name }) => all[name] ?? null);
}

export const full: Record<string, Value> = {
  body: 'quotes " \\ and {braces} €😀\n',
  size: 9_007_199_254_740_993n,
  score: 0.1,
  price: '12345678901234567890.0123456789',
  open: false,
  day: '2024-02-29',
  opened: Date.parse('1969-12-31T23:59:59.999Z'),
  exact: -1n,
  other: uuid(99),
  meta: { a: [1, 'x', null, { b: true }], e: {} },
  raw: Uint8Array.of(0, 255, 10),
  kind: 'b',
  tags: ['x', 'y"z', 'NULL', ''],
  prices: ['1.50', '-0.001'],
  sizes: [2n ** 62n, -1n],
  times: [0, 1_700_000_000_123],
  parts: [Uint8Array.of(1, 2), Uint8Array.of()],
  'home.city': 'Oslo',
  'home.position.latitude': 59.91,
};
