/** Runs processes of writers on the same lists, kills one of them if asked to, and checks what they say against the end. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Storeweave } from '@storeweave/core';
import { bundle } from '../crash/bundle.js';
import type { Append, History, Look } from './history.js';
import { lookAt } from './look.js';
import { entitiesAt, KEYS, type Place, registers, storesAt } from './model.js';
import type { Line, Task } from './writer.js';

export interface ConcurrencyOptions {
  readonly place: Place;
  readonly seed: number;
  readonly processes: number;
  readonly writers: number;
  readonly appends: number;
  /** Processes are killed one after the other, each after so many acknowledged appends of its own, and replaced. */
  readonly killAfter: readonly number[];
}

/** Resolves with the whole history, once everything that was decided is applied. */
export async function concurrentHistory(options: ConcurrencyOptions): Promise<History> {
  const { place, seed, processes, writers, appends, killAfter } = options;
  await makeRegisters(place);
  const { file, folder } = await bundle(new URL('./writer.ts', import.meta.url));
  const files: string[] = [];
  const start = () => {
    const n = files.length;
    const log = join(folder, `${n}.log`);
    files.push(log);
    const task: Task = { place, file: log, name: 'abcdefgh'[n] ?? 'z', seed: seed + 10_000 * n, writers, appends };
    const child = fork(file, [JSON.stringify(task)], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return { child, log, ended: once(child, 'exit') as Promise<[number | null, string | null]> };
  };
  try {
    const running = Array.from({ length: processes }, start);
    for (const count of killAfter) {
      const victim = running.shift();
      if (victim === undefined) break;
      await Promise.race([victim.ended, acknowledged(victim.log, count)]);
      if (!victim.child.kill('SIGKILL')) throw new Error('A process of writers was done before it was to be killed.');
      await victim.ended;
      running.push(start());
    }
    const ends = await Promise.all(running.map(({ ended }) => ended));
    const failed = ends.filter(([code]) => code !== 0);
    if (failed.length > 0) throw new Error(`A process of writers ended with ${failed}.`);
    await drain(place);
    return { ...readLines(files), lists: await lookAt(place) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function acknowledged(file: string, count: number): Promise<void> {
  for (;;) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (text.split('"say":"acknowledged"').length > count) return;
    await sleep(20);
  }
}

async function makeRegisters(place: Place): Promise<void> {
  const weave = await Storeweave.open({ entities: entitiesAt(place), stores: storesAt(place) });
  for (const side of place.sides) {
    await weave.transaction((uow) => {
      for (let id = 0; id < KEYS; id++) uow.create(registers[side], { id, tokens: '' });
    });
  }
  await weave.close();
}

async function drain(place: Place): Promise<void> {
  const weave = await Storeweave.open({ entities: entitiesAt(place), stores: storesAt(place), schema: 'ignore' });
  await weave.journal.drain();
  await weave.close();
}

function readLines(files: readonly string[]): Pick<History, 'appends' | 'looks'> {
  const appends = new Map<string, Append>();
  const looks: Look[] = [];
  const change = (token: string, more: Partial<Append>) => {
    const known = appends.get(token) ?? { token, began: 0, reads: {}, outcome: 'unknown', isApplied: false };
    appends.set(token, { ...known, ...more });
  };
  for (const file of files) {
    for (const text of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
      const line = JSON.parse(text) as Line;
      if (line.say === 'look') looks.push({ list: line.list, began: line.at, tokens: line.tokens });
      else if (line.say === 'begin') change(line.token, { began: line.at });
      else if (line.say === 'read') change(line.token, { reads: line.reads });
      else if (line.say === 'unknown') change(line.token, { outcome: 'unknown' });
      else change(line.token, { outcome: line.say, ended: line.at, isApplied: line.status === 'applied' });
    }
  }
  return { appends: [...appends.values()], looks };
}
