import { expect, it } from 'vitest';
import { compileDomain, Property } from '../index.js';

it('reports members whose compiler gave no metadata object, instead of losing them', () => {
  const standard = Property('string') as unknown as (target: undefined, context: object) => void;
  standard(undefined, { kind: 'field', name: 'email', static: false, private: false });
  expect(() => compileDomain([])).toThrow(/the compiler gave no metadata object to the decorators of: @Property email/);
});
