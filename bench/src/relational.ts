/**
 * One PostgreSQL, one table, everybody: Storeweave, `pg` by hand, and what teams use otherwise. Some of them want Node 22
 * or later, so on an older one the whole comparison runs on Node 24, all contenders in the same process. Prisma is not
 * among them: making its client needs a program that is downloaded from its own server.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { startPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { v7 } from 'uuid';
import { type EmployeeData, employees } from './employee.js';
import type { RelationalContender, TrackedEmployee } from './relational/contender.js';
import { type BenchOptions, type BenchRow, type Contender, compare, compareCalls } from './rounds.js';

const SIZES = [1_000, 10_000, 100_000];
const NEWEST = 24;
const OLDEST = 22;

export async function run(options: BenchOptions): Promise<BenchRow[]> {
  if (Number(process.versions.node.split('.')[0]) < OLDEST) return onNewerNode(options);
  const server = await startPostgres();
  const contenders = await everybody();
  try {
    const url = await server.database('bench_relational');
    const ours = contenders.find(({ name }) => name === 'storeweave');
    // Ours first: it makes the table.
    await ours?.open(url);
    for (const contender of contenders) if (contender !== ours) await contender.open(url);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    // MikroORM leaves the first version to the database.
    await client.query('alter table employees alter version set default 1');
    try {
      const rows: BenchRow[] = [];
      for (const n of SIZES) rows.push(...(await bench(n, contenders, client, options)));
      return rows;
    } finally {
      await client.end();
    }
  } finally {
    for (const contender of contenders) await contender.close();
    await server.stop();
  }
}

async function everybody(): Promise<RelationalContender[]> {
  const { byHand } = await import('./relational/hand.js');
  const { storeweave } = await import('./relational/storeweave.js');
  const { typeormItself } = await import('./relational/typeorm.js');
  const { mikroOrm } = await import('./relational/mikro-orm.js');
  const { drizzleOrm } = await import('./relational/drizzle.js');
  const { kysely } = await import('./relational/kysely.js');
  return [byHand(), storeweave(), typeormItself(), mikroOrm(), drizzleOrm(), kysely()];
}

async function bench(
  n: number,
  contenders: readonly RelationalContender[],
  client: pg.Client,
  options: BenchOptions,
): Promise<BenchRow[]> {
  const isLarge = n >= 100_000;
  const round = { rounds: isLarge ? Math.min(3, options.rounds) : options.rounds, warmUp: isLarge ? 1 : 3 };
  // Slow ones are not asked for the largest size: their rounds would take minutes and tell nothing new.
  const able = isLarge ? contenders.filter(({ name }) => name !== 'typeorm') : contenders;
  const truncate = async () => void (await client.query('truncate employees'));
  let fresh: EmployeeData[] = [];
  const kept: unknown[] = [];
  const rows = await compare(
    'relational: insert',
    n,
    able.map(
      (contender): Contender => ({
        name: contender.name,
        prepare: async () => {
          fresh = employees(n, v7);
          kept[0] = fresh[0];
        },
        run: () => contender.insert(fresh),
        clean: truncate,
      }),
    ),
    round,
  );

  const stored = employees(n, v7);
  const [first] = contenders;
  await first?.insert(stored);
  await client.query('analyze employees');
  rows.push(
    ...(await compare(
      'relational: load, not tracked',
      n,
      able.map((contender) => ({
        name: contender.name,
        run: async () => {
          const found = await contender.load();
          kept[1] = found[0];
          return found.length;
        },
      })),
      round,
    )),
  );
  const tracking = able.filter((contender) => contender.loadTracked !== undefined);
  rows.push(
    ...(await compare(
      'relational: load, tracked',
      n,
      tracking.map((contender) => ({
        name: contender.name,
        run: async () => (await contender.loadTracked?.())?.length ?? 0,
      })),
      round,
    )),
  );
  let loaded: readonly TrackedEmployee[] = [];
  rows.push(
    ...(await compare(
      'relational: update of a tenth among tracked',
      n / 10,
      tracking.map((contender) => ({
        name: contender.name,
        prepare: async () => {
          loaded = (await contender.loadTracked?.()) ?? [];
        },
        run: async () => {
          let changed = 0;
          for (let at = 0; at < loaded.length; at += 10) {
            const employee = loaded[at];
            if (employee === undefined) continue;
            employee.name += '!';
            employee.score += 1;
            changed++;
          }
          await contender.commitChanges?.();
          return changed;
        },
      })),
      round,
    )),
  );
  if (n === SIZES[1]) {
    const ids = stored.map(({ id }) => id);
    rows.push(
      ...(await compareCalls(
        'relational: find by id, median',
        ids,
        contenders.map(({ name, byId }) => ({ name, call: byId })),
        round,
      )),
    );
  }
  await truncate();
  return rows;
}

/** The same in a process of a newer Node, which npm brings. */
async function onNewerNode({ rounds }: BenchOptions): Promise<BenchRow[]> {
  const [, script = ''] = process.argv;
  const command = ['-y', '-p', `node@${NEWEST}`, 'node', ...process.execArgv, script];
  const child = spawn('npx', [...command, 'relational', '--json', '--rounds', String(rounds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [out, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject)),
  ]);
  if (code !== 0) throw new Error(`The benchmark on Node ${NEWEST} ended with ${code}.`);
  return JSON.parse(out) as BenchRow[];
}
