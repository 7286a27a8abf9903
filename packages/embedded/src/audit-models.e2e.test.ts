/** What is on record of measurements, of graphs, of sessions, and through hooks. */
import {
  Audited,
  AuditLog,
  type Collection,
  DataAccessLog,
  Field,
  Id,
  Measurement,
  mean,
  Node,
  Property,
  Related,
  Series,
  Storeweave,
  Tag,
  type TimeSeries,
  Timestamp,
} from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { history, reads, records } from './audit.fixture.js';
import { embedded } from './embedded.js';

@Node()
@Audited({ reads: true })
class Person {
  @Id() id!: string;
  @Property('string') name!: string;
  @Related(() => Person, 'KNOWS') known!: Collection<Person>;
  @Series(
    () => Dose,
    (dose) => dose.person,
  )
  doses!: TimeSeries<Dose>;
}

@Measurement()
@Audited()
class Dose {
  @Timestamp() at!: Date;
  @Tag('uuid') person!: string;
  @Tag() ward!: string;
  @Field('float') amount!: number;
}

@Measurement()
@Audited({ reads: true })
class DailyDose {
  @Timestamp() at!: Date;
  @Tag('uuid') person!: string;
  @Field('float') amount!: number;
}

let weave: Storeweave;
beforeEach(async () => {
  const url = await (await sharedServer('postgres')).database('audit');
  weave = await Storeweave.open({ entities: [Person, Dose, DailyDose], stores: embedded({ url }) });
});
afterEach(() => weave.close());

const DAY = 86_400_000;
const person = '018f3c5e-0000-7000-8000-000000000001';

describe('measurements', () => {
  it('are on record with what they replace', async () => {
    const doses = weave.series(Dose);
    const at = new Date(0);
    await doses.insert([
      { at, person, ward: 'a', amount: 1 },
      { at: new Date(DAY), person, ward: 'a', amount: 2 },
    ]);
    await doses.insert({ at, person, ward: 'a', amount: 3 });
    await doses.insert({ at, person, ward: 'a', amount: 3 });
    await doses.insert({ at, person, ward: 'a', amount: 4 }, { existing: 'ignore' });
    // The last of two points with one time and tags counts.
    await doses.insert([
      { at, person, ward: 'b', amount: 5 },
      { at, person, ward: 'b', amount: 6 },
      { at, person, ward: '', amount: 7 },
    ]);
    expect((await doses.range({ orderBy: { amount: 'asc' } })).map(({ amount }) => amount)).toEqual([2, 3, 6, 7]);
    const told = (await records(weave, 'Dose')).map(({ operation, before, after }) =>
      [operation, before?.amount ?? '-', after?.amount].join(' '),
    );
    expect(told.sort()).toEqual(['insert - 1', 'insert - 2', 'insert - 6', 'insert - 7', 'update 1 3']);
    expect((await records(weave, 'Dose'))[0]?.key).toBe(
      JSON.stringify({ at: '1970-01-01T00:00:00.000Z', person, ward: 'a' }),
    );
  });

  it('are on record where a unit of work adds them, and where they are computed', async () => {
    const anna = await weave.transaction((uow) => {
      const made = uow.create(Person, { name: 'Anna' });
      made.doses.add({ at: new Date(0), ward: '', amount: 1 }, { at: new Date(60_000), ward: '', amount: 3 });
      return made;
    });
    expect((await records(weave, 'Dose')).map(({ after }) => after?.amount)).toEqual([1, 3]);
    const select = { amount: mean('amount') } as const;
    await weave.series(Dose).downsample(DailyDose, { every: '1d', select });
    await weave.transaction(async (uow) => {
      const known = await uow.repository(Person).findOneOrFail({ where: { id: anna.id } });
      known.doses.add({ at: new Date(0), ward: '', amount: 5 });
    });
    await weave.series(Dose).downsample(DailyDose, { every: '1d', select });
    expect((await weave.series(DailyDose).range()).map(({ amount }) => amount)).toEqual([4]);
    const told = (await records(weave, 'DailyDose')).map(({ operation, before, after }) => [
      operation,
      before?.amount,
      after?.amount,
    ]);
    expect(told).toEqual([
      ['insert', undefined, 2],
      ['update', 2, 4],
    ]);
    await weave.series(DailyDose).window({ select: { n: mean('amount') } });
    expect((await reads(weave)).filter(({ entity }) => entity === 'DailyDose')).toMatchObject([
      { operation: 'read', count: 1 },
      { operation: 'window', count: 1 },
    ]);
  });
});

describe('a graph', () => {
  it('has its nodes and relationships on record, and what a walk loads', async () => {
    const [anna, bob] = await weave.transaction((uow) => {
      const made = ['Anna', 'Bob'].map((name) => uow.create(Person, { name }));
      const [first, second] = made;
      if (first !== undefined && second !== undefined) first.known.add(second);
      return made;
    });
    const links = async () =>
      (await records(weave)).filter(({ entity }) => entity !== 'Person').map(({ operation, key }) => [operation, key]);
    const key = JSON.stringify({ from: anna?.id, to: bob?.id });
    expect(await links()).toEqual([['insert', key]]);
    // A relationship that is there already is no change.
    await weave.transaction(async (uow) => {
      const known = await uow.repository(Person).findByIds([anna?.id ?? '', bob?.id ?? '']);
      if (known[0] !== undefined && known[1] !== undefined) known[0].known.add(known[1]);
    });
    expect(await links()).toEqual([['insert', key]]);
    await weave.accessLog?.flush();
    const before = await weave.repository(DataAccessLog).count();
    await weave.graph(Person).traverse({ from: anna?.id ?? '', via: 'KNOWS', depth: [1, 2] });
    expect((await reads(weave)).slice(before).map(({ keys }) => keys)).toEqual([[anna?.id, bob?.id]]);
    await weave.transaction(async (uow) => uow.remove(await uow.repository(Person).find({ where: { name: 'Anna' } })));
    expect(await links()).toEqual([
      ['insert', key],
      ['delete', key],
    ]);
  });
});

describe('a session', () => {
  it('has its changes on record in its own name, each commit apart', async () => {
    await using session = weave.session({ actor: 'editor', reason: 'clean-up', from: { host: 'h' } });
    const anna = session.create(Person, { name: 'Anna' });
    await session.commit();
    anna.name = 'Anne';
    await session.commit();
    // Writes by filter stand alone in a session, and have their records in a transaction of their own.
    await session.repository(Person).update({}, { name: 'Ann' });
    const told = await records(weave);
    expect(told.map(({ actor, reason, host }) => [actor, reason, host])).toEqual(
      Array.from({ length: 3 }, () => ['editor', 'clean-up', 'h']),
    );
    expect(new Set(told.map(({ unitOfWork }) => unitOfWork)).size).toBe(3);
    expect(await history(weave, 'Person')).toHaveLength(3);
    anna.name = 'lost';
    await session.rollback();
    expect(await weave.repository(AuditLog).count()).toBe(3);
  });
});
