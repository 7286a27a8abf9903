import { expect, it } from 'vitest';
import { isWidening, servesAs } from './type-change.js';

it.each([
  ['character varying(10)', 'character varying(11)', true],
  ['character varying(10)', 'character varying', true],
  ['character varying(10)', 'text', true],
  ['character varying', 'text', true],
  ['text', 'character varying', true],
  ['character varying(10)[]', 'character varying(20)[]', true],
  ['integer', 'bigint', true],
  ['integer[]', 'bigint[]', true],
  ['real', 'double precision', true],
  ['numeric(10,2)', 'numeric(12,4)', true],
  ['numeric(10,2)', 'numeric', true],
  ['timestamp(3) with time zone', 'timestamp(6) with time zone', true],
  ['uuid', 'text', true],
  ['character varying(11)', 'character varying(10)', false],
  ['character varying', 'character varying(10)', false],
  ['text', 'character varying(10)', false],
  ['bigint', 'integer', false],
  ['numeric(10,2)', 'numeric(10,4)', false],
  ['numeric', 'numeric(10,2)', false],
  ['timestamp(6) with time zone', 'timestamp(3) with time zone', false],
  ['integer', 'integer[]', false],
  ['integer', 'boolean', false],
  ['text', 'uuid', false],
  ['bigint', 'double precision', false],
])('from %s to %s: %s', (from, to, expected) => expect(isWidening(from, to)).toBe(expected));

it.each([
  ['text', 'character varying(10)', true],
  ['character varying(20)', 'character varying(10)', true],
  ['bigint', 'integer', true],
  ['numeric', 'numeric(10,2)', true],
  ['text', 'integer', false],
  ['text', 'uuid', false],
  ['integer', 'bigint', false],
])('%s serves as %s: %s', (existing, wanted, expected) => expect(servesAs(existing, wanted)).toBe(expected));
