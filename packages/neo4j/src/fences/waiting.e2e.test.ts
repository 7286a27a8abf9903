/** What has waited for a lock looks again: a fence may have come, gone, or changed hands while it stood there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EntityModel, From, Id, Node, Property, type Ref, Relationship, To } from '@storeweave/core';
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openStore } from '../servers.fixture.js';
import { Bench, unit } from './bench.fixture.js';

@Node({ label: 'Stop' })
class Stop {
  @Id('integer') id!: number;
  @Property('integer') seats!: number;
}

@Relationship({ type: 'LINE' })
class Line {
  @Id('integer') id!: number;
  @From(() => Stop) from!: Ref<Stop>;
  @To(() => Stop) to!: Ref<Stop>;
}

let bench: Bench;
let stop: EntityModel;
let line: EntityModel;

beforeAll(async () => {
  const opened = await openStore([Stop, Line], { fenced: true });
  bench = new Bench(opened);
  [stop, line] = [opened.of(Stop), opened.of(Line)];
});
afterAll(() => bench?.store.close());
beforeEach(async () => {
  await bench.clear();
  await bench.write(bench.insert(stop, { id: 1, seats: 0 }, { id: 2, seats: 0 }));
});

/** Does `work` while another transaction has changed stop 1 and is about to commit. */
async function whileChanging<R>(change: string, values: Record<string, unknown>, work: () => Promise<R>): Promise<R> {
  const session = (bench.store.native({}) as Driver).session();
  const transaction = await session.beginTransaction();
  const label = `${bench.opened.labelPrefix}Stop`;
  await transaction.run(`MATCH (n:\`${label}\`) WHERE n.id = 1 ${change}`, values);
  let isDone = false;
  const working = work().finally(() => {
    isDone = true;
  });
  working.catch(() => {});
  await sleep(700);
  expect(isDone).toBe(false);
  await transaction.commit();
  await session.close();
  return working;
}

const TAKEN = 'SET n._f = $unitOfWork, n._fc = $coordinator, n._fo = $op';

it('installs nothing where another has installed it and a later writer has come', async () => {
  const owner = unit();
  const batch = bench.update(stop, [[1]], { seats: 5 });
  await bench.fenced(owner, batch);
  await whileChanging('SET n.seats = 9 REMOVE n._f, n._fc, n._fo', {}, () => bench.apply(owner, batch));
  expect(await bench.rows(stop, 'id', 'seats')).toEqual([
    [1, 9],
    [2, 0],
  ]);
});

it.each(['apply', 'unfence'] as const)('%s leaves a fence that has become that of another', async (late) => {
  const [owner, next] = [unit(), unit()];
  const batch = late === 'apply' ? bench.remove(stop, [1]) : bench.update(stop, [[1]], { seats: 5 });
  await bench.fenced(owner, batch);
  await whileChanging(TAKEN, { ...next, op: 'delete' }, () => bench[late](owner, batch));
  expect(await bench.owners()).toEqual([next]);
  expect(await bench.rows(stop, 'id')).toEqual([[1], [2]]);
});

it('sees a fence that was put up while it waited', async () => {
  const [owner, next] = [unit(), unit()];
  const changed = bench.update(stop, [[1]], { seats: 5 });
  const outcome = await whileChanging(TAKEN, { ...owner, op: 'update' }, () => bench.fence(next, changed));
  expect(outcome).toEqual({ missed: [], held: [owner] });
  await bench.participant.unfenceAll(owner, {});
  const write = () => whileChanging(TAKEN, { ...owner, op: 'update' }, () => bench.write(changed));
  await expect(write()).rejects.toMatchObject({ code: 'FENCED', owners: [owner] });
});

it('hangs nothing on a node that was fenced for deletion while it waited', async () => {
  const ends = line.endpoints;
  const [from = '', to = ''] = [ends?.from.fields[0]?.name, ends?.to.fields[0]?.name];
  const batch = bench.insert(line, { id: 1, [from]: 2, [to]: 1 });
  const owner = unit();
  const fencing = () => bench.fence(unit(), batch);
  expect(await whileChanging(TAKEN, { ...owner, op: 'delete' }, fencing)).toEqual({ missed: [], held: [owner] });
  await bench.participant.unfenceAll(owner, {});
  const write = () => whileChanging(TAKEN, { ...owner, op: 'delete' }, () => bench.write(batch));
  await expect(write()).rejects.toMatchObject({ code: 'FENCED', owners: [owner] });
  expect((await bench.stored()).relationships).toBe(0);
});
