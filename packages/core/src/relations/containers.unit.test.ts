import { describe, expect, expectTypeOf, it } from 'vitest';
import { InvalidStateError, InvalidValueError, RelationNotLoadedError } from '../errors/errors.js';
import { Collection, collectionState, type LoadedCollection } from './collection.js';
import { type LoadedRef, Ref, refState } from './ref.js';
import { seriesState, TimeSeries } from './time-series.js';

class User {
  name = 'ada';
}
class Post {
  title = 'first';
}

describe('containers before their owner is known', () => {
  it('keep what was set and added', () => {
    const user = new User();
    const post = new Post();
    expect(new Ref(user).get()).toBe(user);
    expect(new Collection([post]).get()).toEqual([post]);
    expect(() => new Ref<User>().get()).toThrow(RelationNotLoadedError);
  });

  it('cannot load', async () => {
    await expect(new Ref<User>().load()).rejects.toThrow(InvalidStateError);
    await expect(new Collection<User>().count()).rejects.toThrow(InvalidStateError);
    await expect(new TimeSeries<User>().range()).rejects.toThrow(InvalidStateError);
  });

  it('take entities only', () => {
    expect(() => new Collection<User>().add('x' as never)).toThrow(InvalidValueError);
  });
});

/** Items to be put in that were not in it already. */
function newIn(posts: Collection<Post>): object[] {
  const pending = collectionState.pending(posts);
  return [...(pending?.added.keys() ?? [])].filter((item) => pending?.again?.has(item) !== true);
}

describe('a collection', () => {
  const [a, b, c] = [new Post(), new Post(), new Post()] as const;

  it('forgets an add that is taken back', () => {
    const posts = new Collection<Post>();
    posts.add(a, b);
    posts.remove(a);
    expect(newIn(posts)).toEqual([b]);
  });

  it('applies pending changes on top of what is loaded', () => {
    const posts = new Collection<Post>();
    posts.add(a, c);
    posts.remove(b);
    collectionState.resolve(posts, [a, b]);
    expect(posts.get()).toEqual([a, c]);
    expect(newIn(posts)).toEqual([c]);
  });

  it('remembers what was said of an item, for the other side may say something else', () => {
    const posts = new Collection<Post>();
    collectionState.resolve(posts, [a]);
    posts.add(a);
    posts.remove(b);
    const pending = collectionState.pending(posts);
    expect([...(pending?.again ?? [])]).toEqual([a]);
    expect([...(pending?.unseen ?? [])]).toEqual([b]);
    expect(posts.get()).toEqual([a]);
    posts.remove(a);
    posts.add(b);
    expect(newIn(posts)).toEqual([b]);
    expect([...(collectionState.pending(posts)?.removed.keys() ?? [])]).toEqual([a]);
    collectionState.discard(posts);
    expect(posts.get()).toEqual([a]);
  });

  it('shows what the other side has written, and takes it back', () => {
    const posts = new Collection<Post>();
    collectionState.reflect(posts, b, true);
    expect(posts.isLoaded).toBe(false);
    collectionState.resolve(posts, [a]);
    const undo = [collectionState.reflect(posts, b, true), collectionState.reflect(posts, a, false)];
    expect(posts.get()).toEqual([b]);
    for (const each of undo.reverse()) each();
    expect(posts.get()).toEqual([a]);
  });

  it('set() on a loaded one is the difference', () => {
    const posts = new Collection<Post>();
    collectionState.resolve(posts, [a, b]);
    posts.set([b, c]);
    const pending = collectionState.pending(posts);
    expect(newIn(posts)).toEqual([c]);
    expect([...(pending?.removed.keys() ?? [])]).toEqual([a]);
    expect(posts.get()).toEqual([b, c]);
  });

  it('set() on an unloaded one knows what to take out after loading', () => {
    const posts = new Collection<Post>();
    posts.set([b, c]);
    expect(collectionState.pending(posts)?.replaced).toBe(true);
    collectionState.resolve(posts, [a, b]);
    const pending = collectionState.pending(posts);
    expect(pending?.replaced).toBe(false);
    expect(newIn(posts)).toEqual([c]);
    expect([...(pending?.removed.keys() ?? [])]).toEqual([a]);
    expect(posts.get()).toEqual([b, c]);
  });

  it('iterates and counts when populated', () => {
    const posts = new Collection<Post>();
    collectionState.resolve(posts, [a, b]);
    const loaded = posts as LoadedCollection<Post>;
    expect(loaded.length).toBe(2);
    expect([...loaded]).toEqual([a, b]);
    expect(loaded.items).toEqual([a, b]);
  });
});

describe('restoring', () => {
  it('puts a container back to where it was', () => {
    const [a, b] = [new Post(), new Post()] as const;
    const posts = new Collection<Post>();
    posts.add(a);
    const undo = collectionState.save(posts);
    collectionState.settle(posts);
    posts.add(b);
    undo();
    expect(newIn(posts)).toEqual([a]);

    const author = new Ref<User>();
    const undoRef = refState.save(author);
    author.set(new User());
    undoRef();
    expect(author.isLoaded).toBe(false);
  });

  it('gives points back to a series', () => {
    const series = new TimeSeries<User>();
    const point = { name: 'x' };
    series.add(point);
    seriesState.settle(series, [point]);
    expect(seriesState.pending(series)).toBeUndefined();
    seriesState.restore(series, [point]);
    expect(seriesState.pending(series)?.size).toBe(1);
  });
});

describe('as properties', () => {
  it('add nothing enumerable of their own', () => {
    expect(Object.keys(new Ref(new User()))).toEqual([]);
    expect(Object.keys(new Collection([new User()]))).toEqual([]);
  });

  it('are different types for different entities', () => {
    expectTypeOf<Ref<User>>().not.toExtend<Ref<Post>>();
    expectTypeOf<Collection<User>>().not.toExtend<Collection<Post>>();
    expectTypeOf<TimeSeries<User>>().not.toExtend<TimeSeries<Post>>();
    expectTypeOf<LoadedRef<User>>().toExtend<Ref<User>>();
    expectTypeOf<LoadedRef<User>['value']>().toEqualTypeOf<User>();
  });
});
