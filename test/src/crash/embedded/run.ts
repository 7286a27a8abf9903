/**
 * The crash run of the embedded folder: a worker does units of work over all four models on it and is killed with SIGKILL
 * at a random moment, again and again; after each round an independent checker looks whether every unit of work is wholly
 * there or wholly not. All models are one database there, so no commit goes across stores.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seeded } from '../random.js';
import { check } from './check.js';

interface EmbeddedOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

export async function embeddedRun({ rounds, seed, progress }: EmbeddedOptions) {
  const random = seeded(seed);
  const folder = await mkdtemp(join(tmpdir(), 'storeweave-crash-'));
  const story = { acknowledged: new Set<string>(), refused: new Set<string>() };
  let unitsOfWork = 0;
  let kills = 0;
  const violations: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    const worker = spawn(
      process.execPath,
      [...process.execArgv, fileURLToPath(new URL('./worker.ts', import.meta.url)), folder, String(random(2 ** 31))],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = once(worker, 'exit');
    const started = new Promise<void>((resolve) => {
      createInterface({ input: worker.stdout }).on('line', (line) => {
        const [word, id = ''] = line.split(' ');
        if (word === 'begin') unitsOfWork += 1;
        if (word === 'acknowledged') story.acknowledged.add(id);
        if (word === 'refused') story.refused.add(id);
        resolve();
      });
    });
    await Promise.race([started, ended]);
    await Promise.race([sleep(200 + random(1_500)), ended]);
    if (worker.exitCode !== null) {
      violations.push(`round ${round}: the worker ended by itself with ${worker.exitCode}`);
      break;
    }
    worker.kill('SIGKILL');
    await ended;
    kills += 1;
    const found = await check(folder, story);
    violations.push(...found.map((violation) => `round ${round}: ${violation}`));
    progress(`round ${round}/${rounds}: ${story.acknowledged.size} acknowledged so far, ${found.length} violations`);
  }
  if (violations.length === 0) await rm(folder, { recursive: true });
  else progress(`The folder is kept: ${folder}`);
  return { rounds, seed, unitsOfWork, acknowledged: story.acknowledged.size, kills, violations };
}
