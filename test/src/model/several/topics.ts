/**
 * What is walked: for each topic its stores and records, the kinds of unit of work on them, and what may be there at the
 * start. A topic's kinds are walked in all pairs; those of the short run are the first few of each.
 */
import type { Change, RecordSpec, StoreSpec, UnitSpec, World } from './world.js';

const STORES: Readonly<Record<string, StoreSpec['kind']>> = {
  A: 'lock',
  P: 'lock',
  Z: 'lock',
  B: 'fence',
  D: 'fence',
  G: 'fence',
  C: 'append',
};

/** Records by name. The first letter is the store; of a relationship, the nodes follow that it hangs on. */
export interface Topic {
  readonly name: string;
  readonly records: Readonly<Record<string, readonly string[]>>;
  readonly kinds: readonly string[];
  /** Records that are there, one list for each start. */
  readonly starts: readonly (readonly string[])[];
  /** How many of the kinds are in the short run. */
  readonly short: number;
  readonly reader?: readonly string[];
  readonly more?: Partial<World>;
}

/**
 * `topic('a.update b.insert', …)`: the coordinator is A where none is named in front, as in `Z: z.update b.update`. One
 * record, or records of one fencing store, is a unit of that store alone.
 */
export function worldOf(
  topic: Pick<Topic, 'records' | 'more'>,
  kinds: readonly string[],
  there: readonly string[],
  more: Partial<World> = {},
): World {
  const names = Object.keys(topic.records);
  const stores = [...new Set(['A', ...names.map(storeOf), ...kinds.map(coordinatorOf)])];
  const records = names.map(
    (name): RecordSpec => ({
      name,
      store: stores.indexOf(storeOf(name)),
      there: there.includes(name),
      ...(topic.records[name]?.length && { ends: topic.records[name].map((end) => names.indexOf(end)) }),
    }),
  );
  const units = kinds.map((kind): UnitSpec => {
    const slots = (kind.split(': ').at(-1) ?? '').split(' ').map((each) => {
      const [record = '', change = ''] = each.split('.');
      if (!names.includes(record)) throw new RangeError(`There is no record ${record} in this topic.`);
      return { record: names.indexOf(record), change: change as Change };
    });
    return { name: kind, coordinator: stores.indexOf(coordinatorOf(kind)), slots };
  });
  return {
    stores: stores.map((name) => ({ name, kind: STORES[name] ?? 'fence' })),
    records,
    units,
    reader: [],
    readsOnce: false,
    restarts: 1,
    deadLetters: false,
    flights: false,
    mistakes: new Set(),
    ...topic.more,
    ...more,
  };
}

const storeOf = (record: string): string => record.charAt(0).toUpperCase();

/** The first store with transactions of a unit of one store; else what stands in front, or A. */
function coordinatorOf(kind: string): string {
  const [front = '', rest] = kind.split(': ');
  return rest === undefined ? 'A' : front;
}

export const TOPICS: readonly Topic[] = [
  {
    name: 'two fencing stores',
    records: { a: [], b: [], d: [] },
    kinds: [
      'b.update d.update',
      'a.update b.update d.update',
      'b.update',
      'b.insert d.insert',
      'b.delete d.delete',
      'd.delete',
      'b.increment d.increment',
      'b.guard d.update',
      'a.update d.update',
    ],
    starts: [['a', 'b', 'd'], ['a'], ['a', 'b']],
    short: 5,
    reader: ['b', 'd'],
  },
  {
    name: 'prepared transactions',
    records: { a: [], p: [], b: [] },
    kinds: [
      'a.update p.update',
      'P: p.update',
      'p.update b.update',
      'a.update p.update b.update',
      'a.insert p.insert',
      'p.delete b.delete',
      'p.increment b.increment',
      'p.guard b.update',
      'b.update',
    ],
    starts: [['a', 'p', 'b'], [], ['b']],
    short: 4,
    reader: ['a', 'p', 'b'],
  },
  {
    name: 'relationships',
    records: { a: [], gn: [], gr: ['gn'] },
    kinds: [
      'a.update gr.insert',
      'a.update gn.delete',
      'gr.insert',
      'gn.delete',
      'a.update gn.insert',
      'gn.insert',
      'a.update gr.update',
      'a.update gr.delete',
      'gr.delete',
      'a.update gn.update',
      'gn.update',
      'gr.update',
    ],
    starts: [['a', 'gn'], ['a', 'gn', 'gr'], ['a']],
    short: 5,
    reader: ['gn', 'gr'],
  },
  {
    name: 'dead letters',
    records: { a: [], b: [], d: [], c: [] },
    kinds: [
      'a.update b.update',
      'a.update c.fresh',
      'b.update',
      'b.update c.fresh',
      'b.update d.update',
      'b.insert d.delete',
    ],
    starts: [
      ['a', 'b', 'd'],
      ['a', 'd'],
    ],
    short: 3,
    reader: ['a', 'b', 'c'],
    more: { deadLetters: true },
  },
  {
    name: 'changes by filter',
    records: { a: [], b1: [], b2: [] },
    kinds: [
      'b1.match b2.match',
      'a.update b1.update',
      'a.update b1.match b2.match',
      'a.update b1.insert',
      'b1.delete',
      'b1.insert',
      'a.update b1.delete b2.update',
      'b1.update b2.update',
    ],
    starts: [['a', 'b1', 'b2'], ['a', 'b2'], ['a']],
    short: 5,
  },
  {
    name: 'two coordinators',
    records: { a: [], z: [], b: [], c: [] },
    kinds: [
      'a.update b.update',
      'Z: z.update b.update',
      'Z: z.update a.update',
      'Z: a.update b.update',
      'Z: z.update c.fresh',
      'b.update',
      'A: a.update',
      'Z: z.update a.insert b.delete',
    ],
    starts: [
      ['a', 'z', 'b'],
      ['z', 'b'],
    ],
    short: 4,
    reader: ['z', 'c'],
  },
  {
    name: 'requests that ride together',
    records: { a: [], b: [], p: [] },
    kinds: [
      'a.update b.update',
      'a.increment b.increment',
      'b.update',
      'A: a.update',
      'a.insert b.insert',
      'a.delete b.delete',
      'a.update b.guard',
      'a.update p.update',
      'p.update b.update',
    ],
    starts: [['a', 'b', 'p'], ['p']],
    short: 4,
    more: { flights: true },
  },
];
