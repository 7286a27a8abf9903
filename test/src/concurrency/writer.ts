/**
 * One of the processes that append: writers that do units of work over one store or several on a few keys, and a reader.
 * Everything is written to a file before it is done and after it was told, so that the process can be killed.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { CommitUnknownError, Storeweave } from '@storeweave/core';
import { seeded } from '../crash/random.js';
import { entitiesAt, KEYS, type Place, registers, type Side, storesAt } from './model.js';

export interface Task {
  readonly place: Place;
  readonly file: string;
  /** Tells the processes apart. */
  readonly name: string;
  readonly seed: number;
  readonly writers: number;
  /** Appends of each writer. */
  readonly appends: number;
}

export type Line =
  | { readonly say: 'begin'; readonly token: string; readonly at: number }
  | { readonly say: 'read'; readonly token: string; readonly reads: Record<string, readonly string[]> }
  | {
      readonly say: 'acknowledged' | 'refused' | 'unknown';
      readonly token: string;
      readonly at: number;
      readonly status: string;
    }
  | { readonly say: 'look'; readonly list: string; readonly at: number; readonly tokens: readonly string[] };

/** Of one that always meets another; then it is given up. */
const TURNS = 60;

/** Milliseconds of a clock that all processes share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;
const listed = (text: string) => text.split(',').slice(0, -1);

async function run({ place, file, name, seed, writers, appends }: Task): Promise<void> {
  const log = openSync(file, 'a');
  const say = (line: Line) => void writeSync(log, `${JSON.stringify(line)}\n`);
  const weave = await Storeweave.open({
    entities: entitiesAt(place),
    stores: storesAt(place),
    schema: 'ignore',
    commit: { relay: { intervalMs: 200, minAgeMs: 500, scrubMs: 1_000 } },
  });

  const append = async (
    token: string,
    at: readonly (readonly [Side, number])[],
    isAwaited: boolean,
  ): Promise<boolean> => {
    say({ say: 'begin', token, at: now() });
    try {
      const { receipt } = await weave.transaction({ await: isAwaited ? 'applied' : 'decided' }, async (uow) => {
        const reads: Record<string, readonly string[]> = {};
        for (const [side, key] of at) {
          const register = await uow.repository(registers[side]).findById(key);
          if (register === null) throw new Error(`${side} ${key} is not there.`);
          reads[`${side} ${key}`] = listed(register.tokens);
          register.tokens += `${token},`;
        }
        say({ say: 'read', token, reads });
        return uow;
      });
      // Of one store alone there is nothing to wait for.
      say({ say: 'acknowledged', token, at: now(), status: receipt?.status ?? 'applied' });
      return true;
    } catch (error) {
      const what = error instanceof CommitUnknownError ? 'unknown' : 'refused';
      say({ say: what, token, at: now(), status: String((error as { code?: unknown }).code ?? error) });
      return what === 'unknown';
    }
  };

  let isOver = false;
  const writer = async (at: number) => {
    const random = seeded(seed + at);
    for (let n = 0; n < appends; n++) {
      const sides = place.sides.filter(() => random(3) > 0);
      const chosen = sides.length > 0 ? sides : place.sides.slice(0, 1);
      const key = random(KEYS);
      const places = chosen.map((side) => [side, random(4) === 0 ? random(KEYS) : key] as const);
      const isAwaited = random(3) > 0;
      for (let turn = 0; turn < TURNS; turn++) {
        if (await append(`${name}${at}-${n}.${turn}`, places, isAwaited)) break;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(200, 10 * turn)));
      }
    }
  };
  const reader = async () => {
    const random = seeded(seed + 1_000);
    while (!isOver) {
      const side = place.sides[random(place.sides.length)] ?? 'relational';
      const key = random(KEYS);
      const at = now();
      const register = await weave.repository(registers[side]).findById(key);
      if (register === null) throw new Error(`${side} ${key} is not there.`);
      say({ say: 'look', list: `${side} ${key}`, at, tokens: listed(register.tokens) });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const reading = reader();
  await Promise.all(Array.from({ length: writers }, (_, at) => writer(at)));
  isOver = true;
  await reading;
  await weave.close();
  closeSync(log);
}

await run(JSON.parse(process.argv[2] ?? '{}') as Task);
process.disconnect?.();
