import { ChaosPlan } from '@storeweave/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CapabilityError,
  ConnectionError,
  InvalidStateError,
  SerializationError,
  TimeoutError,
  UniqueViolationError,
} from '../errors/errors.js';
import { Author, Book, chaoticLibrary, Desk, Label, names, openLibrary } from './library.fixture.js';
import type { UnitOfWork } from './unit-of-work.js';

const open = chaoticLibrary(afterEach);

describe('after a rollback', () => {
  it('objects are what they were before the flush, and can be committed again', async () => {
    const { weave } = await open();
    const kept = await weave.transaction(async (uow) => uow.create(Author, { name: 'kept' }));
    const label = await weave.transaction(async (uow) => uow.create(Label, { name: 'gone' }));
    const author = Object.assign(new Author(), { name: 'new' });
    const book = Object.assign(new Book(), { title: 'new' });
    const attempt = weave.transaction(async (uow) => {
      uow.add([kept, author, label]);
      kept.name = 'changed';
      author.books.add(book);
      author.friends.add(kept);
      uow.remove(label);
      await uow.flush();
      expect([book.id, author.version, kept.version]).toEqual([1, 1, 2]);
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect(book.id).toBeUndefined();
    expect([author.version, author.createdAt]).toEqual([undefined, undefined]);
    expect([kept.version, kept.name]).toEqual([1, 'changed']);
    expect([label.version, label.deletedAt]).toEqual([1, null]);
    expect(await names(weave)).toEqual(['kept']);

    await weave.transaction(async (uow) => uow.add([kept, author]));
    expect(await names(weave)).toEqual(['changed', 'new']);
    expect(book.id).toBeTypeOf('number');
    const again = await weave
      .repository(Author)
      .findOneOrFail({ where: { name: 'new' }, populate: ['books', 'friends'] });
    expect(again.books.items.map(({ title }) => title)).toEqual(['new']);
    expect(again.friends.items.map(({ name }) => name)).toEqual(['changed']);
  });

  it('nothing can be done in it any more', async () => {
    const { weave } = await open();
    let leaked: UnitOfWork | undefined;
    await weave.repository(Author).insert({ name: 'a' });
    const found = await weave.transaction(async (uow) => {
      leaked = uow;
      return uow.repository(Author).findOneOrFail();
    });
    const uow = leaked as UnitOfWork;
    for (const use of [
      () => uow.create(Author, { name: 'x' }),
      () => uow.add(found),
      () => uow.remove(found),
      () => uow.plan(),
      () => uow.flush(),
      () => uow.repository(Author).find(),
      () => uow.refresh(found),
      () => uow.transaction(async () => {}),
      () => uow.native('relational'),
      () => found.books.load(),
    ]) {
      await expect(async () => use()).rejects.toThrow(InvalidStateError);
    }
  });

  it('a failure that the callback swallowed still refuses the commit', async () => {
    const { weave } = await open();
    await weave.repository(Desk).insert({ room: '1', authorId: '018f3c5e-0000-7000-8000-00000000000a' });
    const attempt = weave.transaction(async (uow) => {
      uow.create(Author, { name: 'a' });
      await uow
        .repository(Desk)
        .insert({ room: '2', authorId: '018f3c5e-0000-7000-8000-00000000000a' })
        .catch((error: unknown) => expect(error).toBeInstanceOf(UniqueViolationError));
    });
    await expect(attempt).rejects.toThrow(/An earlier call on memory failed/);
    expect(await names(weave)).toEqual([]);
  });
});

describe('at the same time', () => {
  it('calls of one unit of work take turns in one transaction', async () => {
    const { weave, events } = await open(new ChaosPlan([{ call: 'read', delayMs: 5, times: Infinity }]));
    await weave.transaction(async (uow) => {
      uow.create(Author, { name: 'a' });
      const found = await Promise.all([
        uow.repository(Author).find(),
        uow.repository(Book).find(),
        uow.repository(Author).find(),
      ]);
      expect(found.map((rows) => rows.length)).toEqual([1, 0, 1]);
      expect(found[0]?.[0]).toBe(found[2]?.[0]);
    });
    expect(events.filter((event) => event === 'begin' || event === 'insert Author')).toEqual([
      'begin',
      'insert Author',
    ]);
  });

  it('nested transactions take turns', async () => {
    const { weave, events } = await open();
    await weave.transaction(async (uow) => {
      await uow.repository(Author).find();
      events.length = 0;
      await Promise.all(
        ['a', 'b', 'c'].map((name) =>
          uow.transaction(async (inner) => {
            inner.create(Author, { name });
            await inner.repository(Book).find();
          }),
        ),
      );
    });
    expect(events.filter((event) => event !== 'read Book')).toEqual([
      ...['savepoint', 'insert Author', 'release'],
      ...['savepoint', 'insert Author', 'release'],
      ...['savepoint', 'insert Author', 'release'],
      'commit',
    ]);
  });

  it('a repository that was made outside joins, through every await', async () => {
    const { weave, events } = await open();
    const authors = weave.repository(Author);
    const service = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      authors.create({ name: 'a' });
      return authors.count();
    };
    const other = weave.transaction(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return authors.count();
    });
    expect(await weave.transaction(service)).toBe(1);
    await other;
    expect(weave.current()).toBeUndefined();
    await weave.transaction((uow) => expect(weave.current()).toBe(uow));
    expect(events.filter((event) => event === 'begin').length).toBeLessThanOrEqual(2);
    expect(() => authors.create({ name: 'x' })).toThrow(InvalidStateError);
  });
});

describe('what outlives its unit of work', () => {
  it('begins one of its own, and does not slip its changes past one that is over', async () => {
    const { weave } = await open();
    const late = await weave.transaction(async () => {
      const after = new Promise((resolve) => setTimeout(resolve, 20));
      return {
        transaction: after.then(() => weave.transaction(async (uow) => uow.create(Author, { name: 'late' }))),
        find: after.then(() => weave.repository(Author).find()).catch((error: unknown) => error),
      };
    });
    expect(await late.find).toBeInstanceOf(InvalidStateError);
    await late.transaction;
    expect(await names(weave)).toEqual(['late']);
  });

  it('cannot write when its transaction was given up', async () => {
    const { weave, events } = await open();
    let go: () => void = () => {};
    const run = weave.transaction({ timeoutMs: 20 }, async (uow) => {
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      uow.create(Author, { name: 'a' });
      await uow.flush();
    });
    await expect(run).rejects.toThrow(TimeoutError);
    go();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events.filter((event) => event.startsWith('insert'))).toEqual([]);
  });
});

describe('nested', () => {
  it('a rollback restores what the nested part did, and only that', async () => {
    const { weave } = await open();
    const id = (await weave.transaction(async (uow) => uow.create(Author, { name: 'stored' }))).id;
    await weave.transaction(async (uow) => {
      const author = await uow.repository(Author).findOneOrFail({ where: { id }, populate: ['books', 'friends'] });
      author.rank = 1;
      const outer = uow.create(Author, { name: 'outer' });
      let inner: Author | undefined;
      const failed = uow.transaction(async () => {
        author.rank = 2;
        author.settings.theme = 'dark';
        outer.name = 'changed';
        inner = uow.create(Author, { name: 'inner' });
        author.friends.add(inner);
        await uow.flush();
        author.books.add(uow.create(Book, { title: 'x' } as never));
        author.mentor.set(outer);
        uow.remove(outer);
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      expect(author).toMatchObject({ rank: 1, settings: { theme: 'light' }, version: 2 });
      expect(author.friends.get()).toEqual([]);
      expect(author.books.get()).toEqual([]);
      expect(author.mentor.key).toBeNull();
      expect(outer.name).toBe('outer');
      expect(uow.contains(outer)).toBe(true);
      expect(inner !== undefined && uow.contains(inner)).toBe(false);
      expect(uow.plan().isEmpty).toBe(true);
    });
    expect(await names(weave)).toEqual(['outer', 'stored']);
  });

  it('what may fail in it leaves the outer one usable', async () => {
    const { weave } = await open();
    const authorId = '018f3c5e-0000-7000-8000-00000000000a';
    await weave.repository(Desk).insert({ room: '1', authorId });
    await weave.transaction(async (uow) => {
      uow.create(Author, { name: 'a' });
      const taken = uow.transaction(async (inner) => inner.create(Desk, { room: '2', authorId }));
      await expect(taken).rejects.toThrow(UniqueViolationError);
      uow.create(Author, { name: 'b' });
    });
    expect(await names(weave)).toEqual(['a', 'b']);
  });

  it('weave.transaction inside another one is nested in it', async () => {
    const { weave, events } = await open();
    await weave.transaction(async (uow) => {
      uow.create(Author, { name: 'a' });
      await weave.transaction(async (inner) => {
        expect(inner).toBe(uow);
        inner.create(Author, { name: 'b' });
      });
    });
    expect(events).toEqual(['begin', 'insert Author', 'savepoint', 'insert Author', 'release', 'commit']);
  });

  it('needs savepoints', async () => {
    const { weave: opened } = await openLibrary({
      capabilities: { transactions: { isolation: ['read committed'], savepoints: false } },
    });
    await using weave = opened;
    const attempt = weave.transaction(async (uow) => {
      await uow.repository(Author).find();
      await uow.transaction(async () => {});
    });
    await expect(attempt).rejects.toThrow(CapabilityError);
  });

  it('of any depth', async () => {
    const { weave } = await open();
    await weave.transaction(async (one) => {
      one.create(Author, { name: '1' });
      await one.transaction(async (two) => {
        two.create(Author, { name: '2' });
        await two
          .transaction(async (three) => {
            three.create(Author, { name: '3' });
            await three.transaction(async (four) => four.create(Author, { name: '4' }));
            throw new Error('no');
          })
          .catch(() => {});
        two.create(Author, { name: '5' });
      });
    });
    expect(await names(weave)).toEqual(['1', '2', '5']);
  });
});

describe('retries', () => {
  it('run the callback again after what is worth it, with fresh entities', async () => {
    const plan = new ChaosPlan([{ call: 'commit', times: 2, fail: () => new SerializationError('try again') }]);
    const { weave, events } = await open(plan);
    const attempts: string[] = [];
    await weave.transaction(async (uow) => {
      attempts.push(uow.id);
      uow.create(Author, { name: `attempt ${attempts.length}` });
    });
    expect(new Set(attempts).size).toBe(3);
    expect(await names(weave)).toEqual(['attempt 3']);
    expect(events.filter((event) => event === 'begin')).toHaveLength(3);
  });

  it('write entities from outside as they are', async () => {
    const { weave } = await open(new ChaosPlan([{ call: 'commit', fail: () => new SerializationError('again') }]));
    const author = Object.assign(new Author(), { name: 'a' });
    await weave.transaction(async (uow) => uow.add(author));
    expect(author.version).toBe(1);
    expect(await names(weave)).toEqual(['a']);
  });

  it('end, and are not made for other errors', async () => {
    for (const [fail, times, expected] of [
      [() => new SerializationError('again'), Infinity, 3],
      [() => new UniqueViolationError('taken'), Infinity, 1],
    ] as const) {
      const { weave } = await open(new ChaosPlan([{ call: 'insert', times, fail }]));
      let attempts = 0;
      const run = weave.transaction({ retries: 2 }, async (uow) => {
        attempts++;
        uow.create(Author, { name: 'a' });
      });
      await expect(run).rejects.toThrow();
      expect(attempts).toBe(expected);
    }
  });

  it('of a session write the same changes again', async () => {
    const { weave } = await open(
      new ChaosPlan([{ call: 'insert', times: 2, fail: () => new ConnectionError('lost') }]),
    );
    await using session = weave.session();
    session.create(Author, { name: 'a' });
    const receipt = await session.commit();
    expect(receipt).toMatchObject({ status: 'applied', domains: ['memory'], rows: 1 });
    expect(await names(weave)).toEqual(['a']);
  });
});
