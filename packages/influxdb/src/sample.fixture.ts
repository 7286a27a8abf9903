/** Random points of `Sample`, and random conditions over them, for comparisons with the memory store. */
import type { Condition, Field, Row, Value } from '@storeweave/core';
import fc from 'fast-check';
import { model, Sample } from './store.fixture.js';

export const sample = model(Sample);

export function fieldOf(name: string): Field {
  const found = sample.fieldsByName.get(name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found;
}

export const START = 1_000_000_000_000n;

const values = {
  place: fc.constantFrom('', 'north', 'söuth, "x"', 'a\\'),
  channel: fc.constantFrom(-1, 10, 9),
  level: fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(0, -0, 1)),
  real: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e200, max: 1e200 }), fc.constantFrom(0, 1)),
  whole: fc.integer({ min: -5, max: 5 }),
  big: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  flag: fc.boolean(),
  word: fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('', 'ab', 'AB', '%', '_')),
  exact: fc.tuple(fc.integer({ min: -9, max: 9 }), fc.constantFrom('', '.0', '.50', '.5')).map(([a, b]) => `${a}${b}`),
};
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

/** Rows aligned with the fields of `Sample`, each with a time of its own. */
export const points: fc.Arbitrary<Row[]> = fc
  .uniqueArray(
    fc.record({
      at: fc.bigInt({ min: START, max: START + 5_000n }).map((ms) => ms * 1_000_000n + 7n),
      place: values.place,
      channel: values.channel,
      level: values.level,
      real: maybe(values.real),
      whole: maybe(values.whole),
      big: maybe(values.big),
      flag: maybe(values.flag),
      word: maybe(values.word),
      exact: maybe(values.exact),
    }),
    // Points of one time have no order among them in the memory store but that of their coming.
    { minLength: 1, maxLength: 60, selector: (each) => each.at },
  )
  .map((list) => list.map((each) => sample.fields.map((field) => each[field.name as keyof typeof each] as Value)));

const names = ['place', 'channel', 'level', 'real', 'whole', 'big', 'flag', 'word', 'exact'] as const;
const at = fc.bigInt({ min: START, max: START + 5_000n }).map((ms) => ms * 1_000_000n + 7n);
const compared: fc.Arbitrary<{ field: Field; value: fc.Arbitrary<Value> }> = fc.constantFrom(
  ...names.map((name) => ({ field: fieldOf(name), value: values[name] as fc.Arbitrary<Value> })),
  { field: fieldOf('at'), value: at as fc.Arbitrary<Value> },
);

const comparison: fc.Arbitrary<Condition> = compared.chain(({ field, value }) => {
  const on = { field };
  return fc.oneof(
    fc.record({ op: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte'), on: fc.constant(on), value }),
    fc.record({ op: fc.constantFrom('in', 'notIn'), on: fc.constant(on), values: fc.array(value, { maxLength: 4 }) }),
    fc.record({ op: fc.constant('between' as const), on: fc.constant(on), low: value, high: value }),
    fc.record({ op: fc.constant('exists' as const), on: fc.constant(on), present: fc.boolean() }),
  ) as fc.Arbitrary<Condition>;
});

const pattern = fc
  .array(fc.constantFrom('%', '_', 'a', 'B', '\\%', '\\', '"', 'n', '.'), { maxLength: 4 })
  .map((parts) => parts.join(''));
const text: fc.Arbitrary<Condition> = fc.constantFrom('place', 'word').chain((name) => {
  const on = { field: fieldOf(name) };
  return fc.oneof(
    fc.record({ op: fc.constantFrom('like', 'ilike'), on: fc.constant(on), pattern }),
    fc.record({ op: fc.constant('contains' as const), on: fc.constant(on), value: fc.string({ maxLength: 2 }) }),
  ) as fc.Arbitrary<Condition>;
});

const keys: fc.Arbitrary<Condition> = fc
  .array(fc.tuple(at, values.place, values.channel), { maxLength: 4 })
  .map((rows): Condition => ({ op: 'keys', fields: ['at', 'place', 'channel'].map(fieldOf), rows }));

/** Conditions of every kind, nested. */
export const condition: fc.Arbitrary<Condition> = fc.letrec<{ all: Condition }>((tie) => ({
  all: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison,
    text,
    keys,
    fc.record({
      op: fc.constantFrom('and', 'or'),
      conditions: fc.array(tie('all'), { maxLength: 3 }),
    }) as fc.Arbitrary<Condition>,
    fc.record({ op: fc.constant('not' as const), condition: tie('all') }),
  ),
})).all;
