/** The code that the README quotes runs, and does what the README says of it. */
import { expect, test } from 'vitest';
import { firstLook } from './first-look.js';

test('the first example writes four models in one commit and reads them back joined', async () => {
  expect(await firstLook()).toEqual(['ada@example.org', 'looms', 'numbers', 'bob@example.org']);
});
