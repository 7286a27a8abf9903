import { AuditLog, Storeweave, UniqueViolationError } from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { afterEach, describe, expect, it } from 'vitest';
import { audited, Finding, Patient, reads, records } from './audit.fixture.js';
import { type EmbeddedOptions, embedded } from './embedded.js';

const opened: Storeweave[] = [];
const open = async (options: EmbeddedOptions, context?: () => { actor: string }) => {
  const weave = await Storeweave.open({ entities: audited, stores: embedded(options), audit: { context } });
  opened.push(weave);
  return weave;
};
afterEach(async () => {
  for (const weave of opened.splice(0)) await weave.close();
});

const onServer = async () => ({ url: await (await sharedServer('postgres')).database('audit') });
const places: [name: string, options: () => Promise<EmbeddedOptions>][] = [
  ['on PGlite', async () => ({})],
  ['on PostgreSQL', onServer],
];
const ROWS = 10_000;

describe.each(places)('many rows at once %s', (_, options) => {
  it('are on record each, with what they were and what they became', async () => {
    const weave = await open(await options(), () => ({ actor: 'import' }));
    const patients = weave.repository(Patient);
    await patients.insert(
      Array.from({ length: ROWS }, (_, at) => ({ name: `p${at}`, visits: at % 4, balance: '1.50' })),
    );
    expect(await patients.update({ visits: 3 }, { home: { city: 'Ulm', zip: '89' } })).toBe(ROWS / 4);
    expect(await patients.increment({}, { balance: '0.25', visits: 1 })).toBe(ROWS);
    expect(await patients.delete({ visits: { gte: 3 } })).toBe(ROWS / 2);

    const logs = weave.repository(AuditLog);
    expect(await logs.count({ operation: 'insert' })).toBe(ROWS);
    expect(await logs.count({ operation: 'update' })).toBe(ROWS + ROWS / 4);
    expect(await logs.count({ operation: 'delete' })).toBe(ROWS / 2);
    expect(await logs.count({ actor: 'import' })).toBe(await logs.count());
    const [one] = await patients.find({ where: { visits: 2 }, limit: 1 });
    const own = await logs.find({ where: { entity: 'Patient', key: one?.id ?? '' }, orderBy: { id: 'asc' } });
    expect(own.map(({ operation }) => operation)).toEqual(['insert', 'update']);
    expect(own[1]?.before).toMatchObject({ balance: '1.50', visits: 1, version: 1 });
    expect(own[1]?.after).toMatchObject({ balance: '1.75', visits: 2, version: 2 });
    const gone = await logs.find({ where: { operation: 'delete' }, limit: 1 });
    expect(gone[0]?.before).toMatchObject({ balance: '1.75', taxNumber: '[redacted]' });
    // One call, one unit of work.
    const groups = await weave.relational(AuditLog).query({ select: { unitOfWork: 'unitOfWork' } });
    expect(groups).toHaveLength(4);
  }, 120_000);

  it('are on record by versions without gaps when many change them', async () => {
    const weave = await open(await options());
    const patients = weave.repository(Patient);
    const [a] = await patients.insert([{ name: 'a' }, { name: 'b' }]);
    const work = Array.from({ length: 12 }, (_, at) =>
      at % 3 === 0
        ? weave.transaction(async (uow) => {
            const known = await uow.repository(Patient).find({ lock: 'update', orderBy: { name: 'asc' } });
            for (const each of known) each.visits += 1;
          })
        : at % 3 === 1
          ? patients.increment({}, { visits: 1 })
          : patients.upsert(
              ['a', 'b'].map((name) => ({ name, taxNumber: `${at}` })),
              { on: ['name'], update: ['taxNumber'] },
            ),
    );
    await Promise.all(work);
    const versions = (await records(weave, 'Patient'))
      .filter(({ key }) => key === a?.id)
      .map(({ after }) => after?.version);
    expect(versions.sort((x, y) => Number(x) - Number(y))).toEqual(Array.from({ length: 13 }, (_, at) => at + 1));
    const pairs = (await records(weave, 'Patient')).filter(({ key, before }) => key === a?.id && before !== null);
    for (const { before, after } of pairs) expect(Number(after?.version)).toBe(Number(before?.version) + 1);
  }, 60_000);

  it('tell which of two upserts at the same time made an entity', async () => {
    const weave = await open(await options());
    const findings = weave.repository(Patient);
    const names = Array.from({ length: 20 }, (_, at) => ({ name: `n${at}` }));
    await Promise.all(
      [1, 2, 3, 4].map((visits) =>
        findings.upsert(
          names.map((each) => ({ ...each, visits })),
          { on: ['name'] },
        ),
      ),
    );
    const made = await records(weave, 'Patient');
    expect(made.filter(({ operation }) => operation === 'insert')).toHaveLength(20);
    expect(made.filter(({ operation }) => operation === 'update')).toHaveLength(60);
    expect(await findings.count({ version: 4 })).toBe(20);
  }, 60_000);

  it('are refused by what the store refuses, by name', async () => {
    const weave = await open(await options());
    const patients = weave.repository(Patient);
    const [a] = await patients.insert([{ name: 'a' }, { name: 'b' }]);
    // Another unique value than the one that decides.
    await expect(patients.upsert({ id: crypto.randomUUID(), name: 'a' })).rejects.toBeInstanceOf(UniqueViolationError);
    await expect(patients.update({ name: 'b' }, { name: 'a' })).rejects.toBeInstanceOf(UniqueViolationError);
    expect((await records(weave, 'Patient')).map(({ operation }) => operation)).toEqual(['insert', 'insert']);
    expect(await patients.upsert({ id: a?.id ?? '', name: 'c' })).toBe(1);
  });
});

describe('reads of entities that are marked so', () => {
  it('are on record by query, with who asked, and not those that a write makes', async () => {
    const weave = await open(await onServer(), () => ({ actor: 'nurse' }));
    const findings = weave.repository(Finding);
    const made = await findings.insert([
      { title: 'a', text: 'hidden-1' },
      { title: 'b', text: 'hidden-2' },
    ]);
    await findings.update({ title: 'a' }, { text: 'hidden-3' });
    expect(await reads(weave)).toEqual([]);

    await findings.find({ where: { text: 'hidden-2' } });
    await findings.findByIds(made.map(({ id }) => id));
    await findings.count({});
    for await (const _ of findings.stream({ where: { title: 'b' } })) break;
    await weave.transaction({ actor: 'doctor', reason: 'rounds' }, async (uow) => {
      await uow.repository(Finding).findById(made[0]?.id ?? 0);
      // Known already: no query, and no further record.
      await uow.repository(Finding).findById(made[0]?.id ?? 0);
    });
    const noted = await reads(weave);
    const ids = made.map(({ id }) => String(id));
    expect(noted.map(({ operation, keys, count, actor }) => [operation, keys, count, actor])).toEqual([
      ['read', [ids[1]], 1, 'nurse'],
      ['read', ids, 2, 'nurse'],
      ['count', null, 2, 'nurse'],
      ['read', [ids[1]], 1, 'nurse'],
      ['read', [ids[0]], 1, 'doctor'],
    ]);
    expect(noted.map(({ filter }) => filter)).toEqual([
      'text = "[redacted]"',
      `id in (${ids.join(', ')})`,
      null,
      'title = "b"',
      `id = ${ids[0]}`,
    ]);
    expect(noted.at(-1)).toMatchObject({ reason: 'rounds', entity: 'Finding' });
  });

  it('are written at the latest when it closes, and in the background before', async () => {
    const options = await onServer();
    const first = await open(options);
    await first.repository(Finding).insert({ title: 'a', text: '' });
    for (let at = 0; at < 50; at++) await first.repository(Finding).find({});
    await opened.pop()?.close();
    const second = await open(options);
    expect((await reads(second)).length).toBe(50);
    await second.repository(Finding).find({});
    for (let waited = 0; waited < 100 && second.accessLog?.stats.written !== 1; waited++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(second.accessLog?.stats).toEqual({ pending: 0, written: 1, lost: 0 });
  });

  it('does not get in the way of the one session, from inside a transaction', async () => {
    const weave = await open({});
    await weave.transaction(async (uow) => {
      for (let at = 0; at < 5; at++) {
        await uow.repository(Finding).find({ where: { title: String(at) } });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await uow.repository(Finding).insert({ title: 'a', text: '' });
    });
    expect((await reads(weave)).length).toBe(5);
    expect(weave.accessLog?.stats.lost).toBe(0);
  });
});
