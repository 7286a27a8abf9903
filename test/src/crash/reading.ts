/** Settled reads of everything while units of work are under way, written down to be judged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SettledReader, Storeweave } from '@storeweave/core';
import { Link, rowsOf, Visit } from './model.js';
import type { Rooms } from './rooms.js';
import type { Snapshot } from './story.js';

/** One settled read of all stores, with the marks of one round. Throws what it ends in. */
export function readOnce(weave: Storeweave, { stores }: Rooms, round: number): Promise<Snapshot> {
  return weave.settled(async (reader) => {
    const rows = stores.filter((store) => store !== 'timeseries');
    const slots: Snapshot['slots'][number][] = [];
    const marks: Snapshot['marks'][number][] = [];
    for (const store of rows) {
      const { slot, mark } = rowsOf[store];
      for (const { id, units } of await reader.repository(slot).find()) slots.push([store, id, units]);
      for (const { id } of await reader.repository(mark).find({ where: { round } })) marks.push([store, id]);
    }
    return { slots, marks, ...(await apart(reader, stores, round)) };
  });
}

async function apart(reader: SettledReader, stores: Rooms['stores'], round: number) {
  const links = stores.includes('graph') ? await reader.repository(Link).find({ where: { round } }) : [];
  const points = new Map<string, number>();
  const visits = stores.includes('timeseries') ? await reader.repository(Visit).find({ where: { round } }) : [];
  for (const { unit } of visits) points.set(unit, (points.get(unit) ?? 0) + 1);
  return { links: links.map(({ id }) => id), points: [...points] };
}

/** Reads until it is told that all is over. Faults end a read and not the reading. */
export async function keepReading(isOver: () => boolean, read: () => Promise<void>): Promise<void> {
  while (!isOver()) {
    await read().catch(() => {});
    await sleep(20);
  }
}
