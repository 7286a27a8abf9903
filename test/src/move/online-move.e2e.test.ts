/**
 * The proof of the online move: two processes write an entity in every way without a pause, a third moves it from
 * PostgreSQL to MongoDB, is killed on its way and started again, and in the end the new store holds exactly what the
 * writers were told was done.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Storeweave } from '@storeweave/core';
import { mongodb } from '@storeweave/mongodb';
import { sharedServer } from '@storeweave/testing/servers';
import { afterEach, expect, it } from 'vitest';
import { application, Profile, User } from './domain.js';

const SEEDS = 4_000;
const SHARED = 20;
const COMMAND = fileURLToPath(new URL('../../../packages/cli/src/bin.ts', import.meta.url));
const CONFIG = fileURLToPath(new URL('./storeweave.config.ts', import.meta.url));
const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Told {
  readonly mine: [string, { id: string; team: number; visits: number; tags: string[] }][];
  readonly shared: number;
}

function start(script: string, args: readonly string[]): ChildProcess {
  const node = ['--conditions=@storeweave/source', '--import', import.meta.resolve('tsx')];
  const child = spawn(process.execPath, [...node, script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** A process of the application. */
class Writer {
  readonly done = new Map<string, number>();
  readonly wrong: string[] = [];
  readonly #child: ChildProcess;
  #told: Told | undefined;

  constructor(name: string, seed: number) {
    this.#child = start(WRITER, [name, String(seed)]);
    const heard = (line: string) => {
      const at = line.indexOf(' ');
      const [word, content] = [line.slice(0, at), line.slice(at + 1)];
      if (word === 'done') this.done.set(content, (this.done.get(content) ?? 0) + 1);
      else if (word === 'told') this.#told = JSON.parse(content) as Told;
      else this.wrong.push(line);
    };
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', heard);
    }
  }

  get count(): number {
    return [...this.done.values()].reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<Told> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
    if (this.#told === undefined) throw new Error(`The writer ended without a word: ${this.wrong.join('\n')}`);
    return this.#told;
  }
}

function move(...args: string[]) {
  const child = start(COMMAND, [
    ...['move', 'Profile', '--online', '--page-size', '250', '--lease', '2000', '-c', CONFIG],
    ...args,
  ]);
  const heard = { out: '', err: '' };
  child.stdout?.on('data', (text) => {
    heard.out += String(text);
  });
  child.stderr?.on('data', (text) => {
    heard.err += String(text);
  });
  return { child, heard, closed: once(child, 'close') };
}

it('loses no write, doubles none and fails none, though the mover is killed on its way', async () => {
  process.env.MOVE_POSTGRES = await (await sharedServer('postgres')).database('online_move');
  process.env.MOVE_MONGODB = await (await sharedServer('mongodb')).database('online_move');
  await using weave = await Storeweave.open(application());
  const profile = (name: string, owner: string, at: number) => ({ name, owner, team: at % 7, tags: ['seed'] });
  await weave
    .repository(Profile)
    .insert([
      ...Array.from({ length: SEEDS }, (_, at) => profile(`seed-${at}`, 'seed', at)),
      ...Array.from({ length: SHARED }, (_, at) => profile(`shared-${at}`, 'shared', at)),
    ]);
  const writers = [new Writer('ada', 1), new Writer('bob', 2)];
  const written = () => Math.min(...writers.map(({ count }) => count));
  const until = async (met: () => boolean) => {
    while (!met() && writers.every(({ wrong }) => wrong.length === 0)) await sleep(20);
  };
  await until(() => written() > 50);

  const killed = move();
  await until(() => /copy Profile .* [1-9]\d* of/.test(killed.heard.err) || killed.child.exitCode !== null);
  killed.child.kill('SIGKILL');
  await killed.closed;
  expect(killed.child.signalCode).toBe('SIGKILL');
  expect(await weave.moves.state(Profile)).toBe('copying');
  const between = written();
  await until(() => written() > between + 20);

  const second = move('--json');
  await second.closed;
  expect([second.child.exitCode, second.heard.err]).toEqual([0, '']);
  const report = JSON.parse(second.heard.out) as {
    isMoved: boolean;
    heldMs: number;
    entities: { copied: number; source: number; sourceDigest: string; targetDigest: string }[];
  };
  expect(report.isMoved).toBe(true);
  expect(report.entities[0]?.copied).toBeLessThan(report.entities[0]?.source ?? 0);
  expect(report.entities[0]?.sourceDigest).toBe(report.entities[0]?.targetDigest);
  const after = written();
  await until(() => written() > after + 100);
  const told = await Promise.all(writers.map((writer) => writer.stop()));

  expect(writers.flatMap(({ wrong }) => wrong)).toEqual([]);
  for (const { done } of writers) expect(done.size).toBe(11);
  // The new store alone, as the application has it once the declaration is gone.
  await using raw = await Storeweave.open({
    entities: [User, Profile],
    stores: {
      relational: application().stores.relational as never,
      document: mongodb({ url: process.env.MOVE_MONGODB }),
    },
    atomicity: 'best-effort',
  });
  const stored = await raw.repository(Profile).find();
  const own = stored.filter(({ owner }) => owner !== 'seed' && owner !== 'shared');
  const content = own.map(({ name, id, team, visits, tags }) => [name, { id, team, visits, tags }]);
  expect(new Map(content as [])).toEqual(new Map(told.flatMap(({ mine }) => mine)));
  expect(own.length).toBe(content.length);
  expect(stored.filter(({ owner }) => owner === 'seed').length).toBe(SEEDS);
  const increments = told.reduce((sum, { shared }) => sum + shared, 0);
  const shared = stored.filter(({ owner }) => owner === 'shared');
  expect(shared.map(({ visits }) => visits)).toEqual(new Array(SHARED).fill(increments));
}, 180_000);
