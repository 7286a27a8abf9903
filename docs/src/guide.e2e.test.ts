/** The code that the guide quotes runs, section by section, and does what the guide says of it. */
import type { Storeweave } from '@storeweave/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Coupon, change, models, openInMemory, read, schema, write } from './guide.js';

let weave: Storeweave;
beforeAll(async () => {
  weave = await openInMemory();
});
afterAll(() => weave.close());

test('a unit of work writes four models, and shows its plan before', async () => {
  const plan = await write(weave);
  expect(plan).toContain('insert Customer');
  expect(plan).toMatch(/insert Order .*2 rows/);
  expect(plan).toMatch(/insert Preferences +in document/);
  expect(plan).toContain('1 domain');
});

test('finds filter over relations, populate over stores, and select plain rows', async () => {
  expect(await read(weave)).toEqual([
    [['ada@example.org', ['19.90', '5.00']]],
    2,
    ['ada@example.org', 'bob@example.org'],
    'ada@example.orgbob@example.org'.length,
  ]);
});

test('a change is found by comparison, and a stale one is refused', async () => {
  expect(await change(weave)).toBe(true);
});

test('each model has what only it can do', async () => {
  expect(await models(weave)).toEqual([
    [1],
    [{ start: new Date('2025-05-01T00:00:00Z'), visits: 1, mean: 30 }],
    [1, ['looms', 'numbers']],
    [{ email: 'ada@example.org', total: '24.90' }],
    1,
  ]);
});

test('the schema has nothing left to do, and classes without decorators are classes', async () => {
  expect(await schema(weave)).not.toMatch(/create|alter|drop/i);
  const coupon = await weave.repository(Coupon).insert({ code: 'HALF', percent: 50 });
  expect(coupon.isLarge()).toBe(true);
});
