/** Changes as they happen, in what they say and in where they go on. */
import { Document, Embedded, Id, InvalidQueryError, Property } from '@storeweave/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Change, ChangesOptions } from './changes.js';
import { type Opened, openStore } from './servers.fixture.js';

class Place {
  @Property('string') city!: string;
}

@Document({ collection: 'events' })
class Happening {
  @Id('string') hall!: string;
  @Id('integer') number!: number;
  @Property('timestamp', { nullable: true }) at!: Date | null;
  @Embedded(() => Place, { nullable: true }) place!: Place | null;
  @Property('bigint', { nullable: true }) seats!: bigint | null;
}

let opened: Opened;
beforeAll(async () => {
  opened = await openStore([Happening]);
});
afterAll(() => opened?.[Symbol.asyncDispose]());

/** The next changes, after doing what makes them once the stream is open. */
async function next(n: number, options: ChangesOptions, work?: () => Promise<unknown>): Promise<Change<Happening>[]> {
  const stop = new AbortController();
  const changes = opened.store.changes(Happening, { ...options, signal: stop.signal });
  const found: Change<Happening>[] = [];
  const first = changes.next();
  if (work !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await work();
  }
  for (let each = await first; !each.done; each = await changes.next()) if (found.push(each.value) === n) break;
  stop.abort();
  await changes.return();
  return found;
}

it('tells what happened to which document, and goes on after any of them', async () => {
  const { store, model } = opened;
  const entity = model(Happening);
  const key = [['north', 7]];
  const at = Date.UTC(2024, 1, 29);
  const names = (...wanted: string[]) => wanted.map((name) => entity.fieldsByName.get(name) as never);
  const all = await next(3, {}, async () => {
    const fields = names('hall', 'number', 'at', 'place.city', 'seats');
    await store.write({ op: 'insert', entity, fields, rows: [['north', 7, at, 'Oslo', 9_007_199_254_740_993n]] }, {});
    await store.write(
      { op: 'update', entity, fields: names('at', 'place.city'), rows: [[at + 1, null]], keys: key },
      {},
    );
    await store.write({ op: 'delete', entity, keys: key }, {});
  });
  const id = { hall: 'north', number: 7 };
  expect(all.map((change) => [change.kind, change.id])).toEqual([
    ['insert', id],
    ['update', id],
    ['delete', id],
  ]);
  expect(all[0]?.document).toEqual({
    ...id,
    at: new Date(at),
    place: { city: 'Oslo' },
    seats: 9_007_199_254_740_993n,
  });
  expect([...(all[1]?.changed ?? [])].sort()).toEqual(['at', 'place']);
  expect(all[2]?.document).toBeUndefined();

  const rest = await next(2, { after: all[0]?.token });
  expect(rest.map(({ kind, token }) => [kind, token])).toEqual(all.slice(1).map(({ kind, token }) => [kind, token]));
  const [last] = await next(1, { after: all[0]?.token, kinds: ['delete'] });
  expect(last?.token).toBe(all[2]?.token);
});

it('ends with its signal, and refuses a token that is none', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 100);
  for await (const _ of opened.store.changes(Happening, { signal: stop.signal })) expect.unreachable();
  await expect(opened.store.changes(Happening, { after: 'nonsense' }).next()).rejects.toThrow(InvalidQueryError);
});
