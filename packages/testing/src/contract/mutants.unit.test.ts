/** The suite itself: each mistake planted in a store must be found by the cases that are about it. */
import assert from 'node:assert/strict';
import {
  type Condition,
  type Row,
  type Store,
  UniqueViolationError,
  type Value,
  type WriteBatch,
} from '@storeweave/core';
import { describe, it } from 'vitest';
import { memoryDomain } from '../memory/domain.js';
import { type MemoryStore, memoryStore } from '../memory/store.js';
import { runContract } from './run.js';

type Plant = (store: MemoryStore) => void;

/** What is wrong, the cases that must find it, and how it is planted. */
const mistakes: readonly (readonly [what: string, topic: string, plant: Plant])[] = [
  [
    'expected versions are not checked',
    'locking/relational',
    onWrite((batch) => (batch.op === 'insert' ? batch : { ...batch, versions: undefined })),
  ],
  [
    'missed rows are not reported',
    'locking/document',
    (store) => {
      const write = store.write.bind(store);
      store.write = async (...given) => ({ ...(await write(...given)), missed: [] });
    },
  ],
  ['a limit is ignored', 'reading/graph: limit', onRead((spec) => ({ ...spec, limit: undefined }))],
  ['an offset is ignored', 'reading/relational: limit', onRead((spec) => ({ ...spec, offset: undefined }))],
  [
    'absent values come first',
    'reading/relational: order',
    onRead((spec) => ({ ...spec, order: spec.order?.map((order) => ({ ...order, nulls: 'first' as const })) })),
  ],
  [
    'a second order is ignored',
    'reading/relational: order',
    onRead((spec) => ({ ...spec, order: spec.order?.slice(0, 1) })),
  ],
  [
    'ne leaves out absent values',
    'filters/relational: operators on whole',
    onCondition((condition) =>
      condition.op === 'ne'
        ? { op: 'and', conditions: [condition, { op: 'exists', on: condition.on, present: true }] }
        : condition,
    ),
  ],
  [
    'ilike minds the case',
    'filters/relational: operators on word',
    onCondition((condition) => (condition.op === 'ilike' ? { ...condition, op: 'like' } : condition)),
  ],
  [
    'gte is gt',
    'filters/document: operators on day',
    onCondition((condition) => (condition.op === 'gte' ? { ...condition, op: 'gt' } : condition)),
  ],
  [
    'between leaves out its end',
    'filters/graph: operators on money',
    onCondition((condition) =>
      condition.op === 'between'
        ? {
            op: 'and',
            conditions: [
              { op: 'gte', on: condition.on, value: condition.low },
              { op: 'lt', on: condition.on, value: condition.high },
            ],
          }
        : condition,
    ),
  ],
  [
    'a filter over a relation finds nothing',
    'relations/relational to relational: many-to-one',
    onCondition((condition) => (condition.op === 'related' ? { op: 'or', conditions: [] } : condition)),
  ],
  [
    'unique values are not checked',
    'writes/relational',
    (store) => {
      const write = store.write.bind(store);
      store.write = (...given) =>
        write(...given).catch((error) => {
          if (error instanceof UniqueViolationError) return { count: 1 };
          throw error;
        });
    },
  ],
  [
    'a rollback commits',
    'transactions/relational: an error',
    onTransaction((transaction) => Object.assign(transaction, { rollback: transaction.commit })),
  ],
  [
    'a commit is forgotten',
    'writes/relational: create',
    onTransaction((transaction) => Object.assign(transaction, { commit: transaction.rollback })),
  ],
  [
    'a savepoint is not gone back to',
    'transactions/graph: a nested',
    onTransaction((transaction) => Object.assign(transaction, { rollbackTo: async () => {} })),
  ],
  [
    'bytes lose a bit',
    'types/relational: blob',
    onValue((value) => (value instanceof Uint8Array ? value.map((byte) => byte & 127) : value)),
  ],
  [
    'times lose milliseconds',
    'types/graph: instant',
    onValue((value, type) =>
      type === 'timestamp' && typeof value === 'number' ? Math.floor(value / 1000) * 1000 : value,
    ),
  ],
  [
    'big numbers become doubles',
    'types/document: big',
    onValue((value) => (typeof value === 'bigint' ? BigInt(Number(value)) : value)),
  ],
  [
    'decimals become doubles',
    'types/relational: exact',
    onValue((value, type) => (type === 'decimal' && typeof value === 'string' ? String(Number(value)) : value)),
  ],
  ['an empty text becomes absent', 'types/relational: word', onValue((value) => (value === '' ? null : value))],
  [
    'json turns its lists around',
    'types/relational: data',
    onValue((value, type) => (type === 'json' && Array.isArray(value) ? [...value].reverse() : value)),
  ],
  [
    'a limit is not counted per owner',
    'relations/relational to relational: populate takes',
    onRead((spec) => ({ ...spec, perGroup: undefined })),
  ],
  [
    'numbers of a sequence come in another order',
    'keys/relational: the store makes numbers',
    (store) => {
      const write = store.write.bind(store);
      store.write = async (...given) => {
        const result = await write(...given);
        return { ...result, returned: result.returned && [...result.returned].reverse() };
      };
    },
  ],
  [
    'a bulk change tells the wrong number',
    'bulk/relational: update',
    (store) => {
      const bulk = store.bulk?.bind(store);
      if (bulk !== undefined) store.bulk = async (...given) => (await bulk(...given)) + 1;
    },
  ],
  [
    'an upsert leaves what is there',
    'upsert/relational',
    onWrite((batch) =>
      batch.op === 'insert' && batch.onConflict
        ? { ...batch, onConflict: { ...batch.onConflict, do: 'ignore' } }
        : batch,
    ),
  ],
  [
    'a stream ends after its first piece',
    'reading/relational: a stream',
    (store) => {
      const stream = store.stream?.bind(store);
      if (stream === undefined) return;
      store.stream = async function* (spec, access) {
        for await (const rows of stream(spec, { ...access, batchSize: 10 })) {
          yield rows;
          return;
        }
      };
    },
  ],
  [
    'a walk reports what is too near',
    'graph: walks of variable',
    (store) => {
      const { graph } = store;
      if (graph !== undefined)
        plant(store, 'graph', {
          ...graph,
          traverse: (spec, access) => graph.traverse({ ...spec, minDepth: 1 }, access),
        });
    },
  ],
  [
    'a walk goes along every relationship',
    'graph: walks of variable',
    (store) => {
      const { graph } = store;
      if (graph !== undefined)
        plant(store, 'graph', {
          ...graph,
          traverse: (spec, access) =>
            graph.traverse({ ...spec, steps: spec.steps.map((step) => ({ ...step, where: undefined })) }, access),
        });
    },
  ],
  [
    'the shortest path is not limited',
    'graph: shortest',
    (store) => {
      const { graph } = store;
      if (graph !== undefined)
        plant(store, 'graph', {
          ...graph,
          shortestPath: (spec, access) => graph.shortestPath({ ...spec, maxDepth: 99 }, access),
        });
    },
  ],
  [
    'a mean is a sum',
    'series: windows of 1h',
    (store) => {
      const { series } = store;
      if (series !== undefined)
        plant(store, 'series', {
          window: (spec, access) =>
            series.window(
              {
                ...spec,
                columns: spec.columns.map((column) =>
                  column.function === 'mean' ? { ...column, function: 'sum' } : column,
                ),
              },
              access,
            ),
        });
    },
  ],
  [
    'gaps are not filled',
    'series: gaps',
    (store) => {
      const { series } = store;
      if (series !== undefined)
        plant(store, 'series', { window: (spec, access) => series.window({ ...spec, fill: 'none' }, access) });
    },
  ],
  [
    'a patch forgets to take out',
    'documents: p',
    (store) => {
      const { documents } = store;
      if (documents !== undefined)
        plant(store, 'documents', {
          patch: (spec, access) =>
            documents.patch(
              { ...spec, operations: spec.operations.filter(({ op }) => op !== 'unset' && op !== 'pull') },
              access,
            ),
        });
    },
  ],
  [
    'grouping counts absent values',
    'relational: grouping in',
    (store) => {
      const aggregate = store.aggregate?.bind(store);
      if (aggregate !== undefined)
        store.aggregate = (spec, access) =>
          aggregate(
            {
              ...spec,
              columns: spec.columns.map((column) =>
                column.function === 'count' ? { ...column, on: undefined } : column,
              ),
            },
            access,
          );
    },
  ],
];

function plant<K extends keyof Store>(store: MemoryStore, part: K, value: Store[K]): void {
  Object.assign(store, { [part]: value });
}

function onWrite(change: (batch: WriteBatch) => WriteBatch): Plant {
  return (store) => {
    const write = store.write.bind(store);
    store.write = (batch, access) => write(change(batch), access);
  };
}

function onRead(change: (spec: Parameters<Store['read']>[0]) => Parameters<Store['read']>[0]): Plant {
  return (store) => {
    const read = store.read.bind(store);
    store.read = (spec, access) => read(change(spec), access);
  };
}

function onCondition(change: (condition: Condition) => Condition): Plant {
  const deep = (condition: Condition): Condition => {
    if (condition.op === 'and' || condition.op === 'or')
      return { ...condition, conditions: condition.conditions.map(deep) };
    if (condition.op === 'not') return { ...condition, condition: deep(condition.condition) };
    return change(condition);
  };
  return onRead((spec) => ({ ...spec, where: spec.where && deep(spec.where) }));
}

function onValue(change: (value: Value, type: string) => Value): Plant {
  return (store) => {
    const read = store.read.bind(store);
    store.read = async (spec, access) =>
      (await read(spec, access)).map((row): Row => row.map((value, i) => change(value, spec.fields[i]?.type ?? '')));
  };
}

function onTransaction(
  change: (transaction: Awaited<ReturnType<NonNullable<MemoryStore['domain']['begin']>>>) => void,
): Plant {
  return (store) => {
    const { begin } = store.domain;
    if (begin === undefined) return;
    Object.assign(store.domain, {
      begin: async (options: Parameters<typeof begin>[0]) => {
        const transaction = await begin(options);
        change(transaction);
        return transaction;
      },
    });
  };
}

function planted(make: Plant): () => Promise<Record<string, Store>> {
  return async () => {
    const domain = memoryDomain();
    const begin = domain.begin;
    const store = () => {
      const made = memoryStore({ domain });
      // A mistake in the domain is planted once, one in a store in each.
      if (domain.begin === begin) make(made);
      return made;
    };
    return { relational: store(), document: store(), graph: store(), timeseries: store() };
  };
}

describe('the contract suite', () => {
  it.each(mistakes)('finds that %s', async (_, topic, make) => {
    const report = await runContract({ open: planted(make), only: topic });
    assert.ok(report.failed.length > 0, `${report.passed.length} cases passed`);
  });

  it('passes the store that the mistakes are planted in', async () => {
    const topics = [...new Set(mistakes.map(([, topic]) => topic))];
    for (const topic of topics) {
      const report = await runContract({ open: planted(() => {}), only: topic });
      assert.deepEqual(report.failed, []);
      assert.ok(report.passed.length > 0, topic);
    }
  });

  it('takes an excuse with its reason, and none that excuses nothing', async () => {
    const excuses = [
      { test: 'graph: neighbours', reason: 'it has none' },
      { test: 'nothing', reason: 'misspelt' },
    ];
    const report = await runContract({ open: planted(() => {}), only: 'graph: neighbours', excuses });
    assert.deepEqual(
      report.excused.map(({ reason }) => reason),
      ['it has none'],
    );
    assert.deepEqual(
      report.failed.map(({ test }) => test),
      ['nothing'],
    );
  });
});
