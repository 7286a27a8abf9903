import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { memoryStore } from '@storeweave/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Audited } from '../decorators/audited.js';
import { Document, Relational } from '../decorators/models.js';
import { Version } from '../decorators/moments.js';
import { Id, Property } from '../decorators/property.js';
import { CommitRefusedError, SerializationError, TimeoutError } from '../errors/errors.js';
import type { CommitHook, CommitStage, HookFailure } from '../session/commit-hooks.js';
import type { Store } from '../store/store.js';
import { AuditLog } from './audit/logs.js';
import { Storeweave } from './storeweave.js';

@Relational()
@Audited()
class Order {
  @Id() id!: string;
  @Property('string') state!: string;
  @Version() version!: number;
}

@Document()
class Note {
  @Id() id!: string;
  @Property('string') text!: string;
}

const STAGES: readonly CommitStage[] = [
  'beforeFlush',
  'afterFlush',
  'beforeCommit',
  'beforeClaim',
  'afterClaim',
  'beforeFence',
  'afterFence',
  'beforeDecide',
  'afterDecide',
  'beforeApply',
  'afterApply',
  'afterCommit',
  'afterRollback',
];
const REFUSING = STAGES.slice(0, STAGES.indexOf('beforeDecide') + 1);

const opened: Storeweave[] = [];
async function open(hooks: readonly CommitHook[], stores: Record<string, Store> = { relational: memoryStore() }) {
  const weave = await Storeweave.open({ entities: 'document' in stores ? [Order, Note] : [Order], stores, hooks });
  opened.push(weave);
  return weave;
}
afterEach(async () => {
  for (const weave of opened.splice(0)) await weave.close();
});

/** A hook at every stage, telling which came with which plan. */
function telling(told: string[]): CommitHook {
  const hook = (stage: CommitStage): CommitHook => ({
    [stage]: (plan: Parameters<NonNullable<CommitHook['beforeCommit']>>[0]) => {
      told.push(`${stage}: ${plan.operations.map(({ operation, entity }) => `${operation} ${entity}`).join(', ')}`);
    },
  });
  return Object.assign({}, ...STAGES.map(hook)) as CommitHook;
}

const several = () => ({
  relational: memoryStore({ capabilities: { commit: { coordinates: true } } }),
  document: memoryStore({ capabilities: { commit: { coordinates: false, participates: 'fence' } } }),
});

describe('hooks of a commit', () => {
  it('are told each stage with what is written, records included', async () => {
    const told: string[] = [];
    const weave = await open([telling(told)]);
    await weave.transaction(async (uow) => {
      const order = uow.create(Order, { state: 'new' });
      await uow.flush();
      order.state = 'paid';
    });
    const all = 'insert Order, insert AuditLog, update Order, insert AuditLog';
    expect(told).toEqual([
      'beforeFlush: insert Order, insert AuditLog',
      'afterFlush: insert Order, insert AuditLog',
      'beforeFlush: update Order, insert AuditLog',
      'afterFlush: update Order, insert AuditLog',
      `beforeCommit: ${all}`,
      `beforeDecide: ${all}`,
      `afterDecide: ${all}`,
      `afterCommit: ${all}`,
    ]);
  });

  it('are told the stages between several databases, too', async () => {
    const told: string[] = [];
    const weave = await open([telling(told)], several());
    await weave.transaction((uow) => {
      uow.create(Order, { state: 'new' });
      uow.create(Note, { text: 'n' });
    });
    const stages = told.map((line) => line.split(':')[0]);
    expect(stages.filter((stage) => !stage?.endsWith('Flush'))).toEqual(
      STAGES.filter((stage) => !stage.endsWith('Flush') && stage !== 'afterRollback'),
    );
  });

  it('are told of what passes the plan by', async () => {
    const notes: (readonly string[])[] = [];
    const weave = await open([{ beforeCommit: (plan) => void notes.push(plan.notes) }]);
    await weave.transaction(async (uow) => {
      await uow.repository(Order).insert({ state: 'new' });
      await uow.repository(Order).delete({});
    });
    await weave.transaction((uow) => uow.repository(Order).find({}));
    expect(notes).toEqual([['Order was written to by filter, in bulk or by statement.'], []]);
  });

  it('know on whose behalf, and which unit of work', async () => {
    const seen: unknown[] = [];
    const from = { region: 'eu', host: 'h', address: '192.0.2.1' };
    const weave = await open([
      { beforeCommit: (_, context) => void seen.push(context), afterCommit: (_, context) => void seen.push(context) },
    ]);
    let unitOfWork = '';
    await weave.transaction({ actor: 'ada', reason: 'why', from, label: 'l' }, (uow) => {
      unitOfWork = uow.id;
      uow.create(Order, { state: 'new' });
    });
    const said = { unitOfWork, actor: 'ada', reason: 'why', from, label: 'l' };
    expect(seen).toMatchObject([
      { ...said, stage: 'beforeCommit' },
      { ...said, stage: 'afterCommit' },
    ]);
  });

  it.each(REFUSING)('refuse at %s, and nothing is written', async (stage) => {
    const stores = several();
    const told: string[] = [];
    const weave = await open(
      [{ name: 'guard', [stage]: () => Promise.reject(new Error('not today')) }, telling(told)],
      stores,
    );
    const refused = weave.transaction((uow) => {
      uow.create(Order, { state: 'new' });
      uow.create(Note, { text: 'n' });
    });
    const error = await refused.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommitRefusedError);
    expect(error).toMatchObject({ hook: 'guard', stage, cause: { message: 'not today' }, isRetryable: false });
    expect(String(error)).toMatch(/'guard' refused .* not today/);
    expect(told.at(-1)).toMatch(/^afterRollback/);
    const open2 = await Storeweave.open({ entities: [Order, Note], stores });
    opened.push(open2);
    expect(await open2.repository(Order).count()).toBe(0);
    expect(await open2.repository(Note).count()).toBe(0);
    expect(await open2.repository(AuditLog).count()).toBe(0);
  });

  it('refuse before anything reaches a store without transactions', async () => {
    const relational = memoryStore({ capabilities: { transactions: undefined } });
    const weave = await Storeweave.open({
      entities: [Order],
      stores: { relational },
      atomicity: 'best-effort',
      hooks: [{ beforeCommit: (plan) => Promise.reject(new Error(`${plan.rows} rows are too many`)) }],
    });
    opened.push(weave);
    const refused = weave.transaction((uow) => void uow.create(Order, { state: 'new' }));
    await expect(refused).rejects.toThrow(/hooks\[0\].* at beforeCommit: 2 rows are too many/);
    expect(await weave.repository(Order).count()).toBe(0);
  });

  it('refuse a flush, which is undone in memory as any other failure', async () => {
    let isClosed = true;
    const weave = await open([
      {
        beforeFlush: () => {
          if (isClosed) throw new Error('closed');
        },
      },
    ]);
    await using session = weave.session();
    session.create(Order, { state: 'new' });
    await expect(session.commit()).rejects.toBeInstanceOf(CommitRefusedError);
    isClosed = false;
    expect((await session.commit()).rows).toBe(2);
    expect(await weave.repository(Order).count()).toBe(1);
  });

  it('change nothing any more once it is decided, and are reported', async () => {
    const failures: HookFailure[] = [];
    const listen = (message: unknown) => void failures.push(message as HookFailure);
    subscribe('storeweave:hook:failed', listen);
    const late = new Error('too late');
    const fail = () => {
      throw late;
    };
    const told: string[] = [];
    const weave = await open([
      { name: 'late', afterDecide: fail, afterCommit: fail, afterRollback: fail },
      telling(told),
    ]);
    await weave.transaction((uow) => void uow.create(Order, { state: 'new' }));
    await expect(weave.transaction(() => Promise.reject(new Error('own')))).rejects.toThrow('own');
    unsubscribe('storeweave:hook:failed', listen);
    expect(await weave.repository(Order).count()).toBe(1);
    expect(failures.map(({ hook, stage, error }) => [hook, stage, error])).toEqual([
      ['late', 'afterDecide', late],
      ['late', 'afterCommit', late],
      ['late', 'afterRollback', late],
    ]);
    expect(told.at(-1)).toMatch(/^afterRollback/);
  });

  it('are called for each attempt, and told why one was rolled back', async () => {
    const errors: unknown[] = [];
    const weave = await open([{ afterRollback: (_, { error }) => void errors.push(error) }]);
    let attempts = 0;
    await weave.transaction((uow) => {
      uow.create(Order, { state: 'new' });
      attempts++;
      if (attempts < 3) throw new SerializationError('again');
    });
    expect(errors.map(String)).toEqual(['SerializationError: again', 'SerializationError: again']);
    expect(await weave.repository(Order).count()).toBe(1);
  });

  it('do not outlast the time limit of the unit of work', async () => {
    const weave = await open([{ beforeCommit: () => new Promise(() => {}) }]);
    const late = weave.transaction({ timeoutMs: 50 }, (uow) => void uow.create(Order, { state: 'new' }));
    await expect(late).rejects.toBeInstanceOf(TimeoutError);
    expect(await weave.repository(Order).count()).toBe(0);
  });
});
