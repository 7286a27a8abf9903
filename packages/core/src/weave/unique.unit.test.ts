import { describe, expect, it } from 'vitest';
import { UniqueViolationError } from '../errors/errors.js';
import { Desk, openLibrary } from './library.fixture.js';

const [a, b] = ['018f3c5e-0000-7000-8000-00000000000a', '018f3c5e-0000-7000-8000-00000000000b'];

describe('a unique value that changes hands in one commit', () => {
  it('is taken by a new row from a removed one', async () => {
    const { weave, batches } = await openLibrary();
    await weave.repository(Desk).insert({ room: 'old', authorId: a });
    batches.length = 0;
    await weave.transaction(async (uow) => {
      uow.remove(await uow.repository(Desk).findOneOrFail());
      uow.create(Desk, { room: 'new', authorId: a });
    });
    expect(batches.map(({ op }) => op)).toEqual(['delete', 'insert']);
    expect((await weave.repository(Desk).findOneOrFail()).room).toBe('new');
  });

  it('is taken by a new row from a changed one', async () => {
    const { weave, batches } = await openLibrary();
    await weave.repository(Desk).insert({ room: 'old', authorId: a });
    batches.length = 0;
    await weave.transaction(async (uow) => {
      (await uow.repository(Desk).findOneOrFail()).authorId = b ?? null;
      uow.create(Desk, { room: 'new', authorId: a });
    });
    expect(batches.map(({ op }) => op)).toEqual(['update', 'insert']);
  });

  it('is traded between two rows', async () => {
    const { weave, batches } = await openLibrary();
    await weave.repository(Desk).insert([
      { room: '1', authorId: a },
      { room: '2', authorId: b },
    ]);
    batches.length = 0;
    await weave.transaction(async (uow) => {
      const [one, two] = await uow.repository(Desk).find({ orderBy: { room: 'asc' } });
      if (one === undefined || two === undefined) throw new Error('not there');
      [one.authorId, two.authorId] = [two.authorId, one.authorId];
    });
    expect(batches.map(({ op }) => op)).toEqual(['update', 'update']);
    const desks = await weave.repository(Desk).find({ orderBy: { room: 'asc' } });
    expect(desks.map((desk) => desk.authorId)).toEqual([b, a]);
  });

  it('is refused where it is really taken', async () => {
    const { weave } = await openLibrary();
    await weave.repository(Desk).insert({ room: 'old', authorId: a });
    const create = weave.transaction(async (uow) => uow.create(Desk, { room: 'new', authorId: a }));
    await expect(create).rejects.toThrow(UniqueViolationError);
  });
});
