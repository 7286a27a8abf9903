/**
 * The job as its user runs it, each run a process of its own: the right figures, again from what is there, and exactly
 * the same after it was killed in the middle of loading.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storeweave } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { sharedPostgres } from '@storeweave/testing/servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultSource } from './data/source.js';
import { figuresFromFiles } from './figures.fixture.js';
import { figuresOf, job } from './job.fixture.js';
import { ENTITIES } from './model.js';
import type { Figures } from './questions.js';

let folder = '';
let expected: Figures;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storeweave-job-'));
  expected = await figuresFromFiles('20k');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the first run loads and prints the figures; the second finds the data and prints the same', async () => {
  const data = join(folder, 'twice');
  expect(figuresOf(await job(['--json', '--data', data]))).toEqual(expected);

  const second = await job(['--data', data]);
  expect(second.stderr).toBe(''); // no progress: nothing is loaded
  expect(second.code).toBe(0);
  expect(second.stdout).toContain('Found there: 3,376 airports, 20,000 flights on 2,977 routes, 20,000 points');
  for (const { iata, name, meanDelay } of expected.busiest) {
    expect(second.stdout).toMatch(new RegExp(`${iata} .*${name.slice(0, 20)}.* ${meanDelay.toFixed(2)} `));
  }
  expect(second.stdout).toContain('3 queries: timeseries 1, relational 1, document 1.');
  expect(second.stdout).toContain('46 airports directly, 163 more with one stop');
  expect(second.stdout).toContain('worst week, from Monday 2001-03-12: 24.34 minutes');
  for (const kind of ['row', 'document', 'edge', 'point'])
    expect(second.stdout).toMatch(new RegExp(`^ {2}${kind} `, 'm'));

  // The commit that was shown has left no trace.
  expect(figuresOf(await job(['--json', '--data', data]))).toEqual(expected);
}, 180_000);

test('killed in the middle of each part and started again, it ends with exactly the right figures', async () => {
  const data = join(folder, 'killed');
  const args = ['--data', data, '--chunk', '250'];
  const parts = ['airports', 'flights', 'routes'];
  for (const part of parts) {
    // A line of progress of this part: some of its chunks are committed, and more are to come.
    const begun = new RegExp(`^${part}: (\\d+) of (\\d+)`, 'm');
    const ended = await job(args, (stderr) => begun.test(stderr));
    const [, done, total] = begun.exec(ended.stderr) ?? [];
    expect(ended.signal, `${part} was over before it could be killed: ${ended.stderr}`).toBe('SIGKILL');
    expect(Number(done)).toBeLessThan(Number(total));
    expect(Number(done)).toBeGreaterThan(0);
  }
  const last = await job(args);
  expect(last.code).toBe(0);
  expect(last.stdout).toMatch(/Loaded [\d,]+ records \([\d,]+ were there from a run before\)/);
  expect(figuresOf(await job(['--json', '--data', data]))).toEqual(expected);
}, 300_000);

test('--fresh starts over, also with other flights in the folder; a damaged folder is named', async () => {
  const data = join(folder, 'fresh');
  const source = join(folder, 'small');
  await mkdir(source);
  await writeFile(join(source, 'airports.csv'), await readFile(join(defaultSource(), 'airports.csv')));
  const some = (JSON.parse(await readFile(join(defaultSource(), 'flights-20k.json'), 'utf8')) as unknown[]).slice(
    0,
    3000,
  );
  await writeFile(join(source, 'flights-20k.json'), JSON.stringify(some));
  expect(figuresOf(await job(['--json', '--data', data, '--source', source]))).toMatchObject({
    flights: 3000,
    points: 3000,
  });

  const other = await job(['--json', '--data', data, '--flights', '3m']);
  expect(other).toMatchObject({ code: 1, stdout: '' });
  expect(other.stderr).toContain('was loaded with --flights 20k, and --flights 3m was asked for');

  expect(figuresOf(await job(['--json', '--data', data, '--fresh']))).toEqual(expected);

  await writeFile(join(data, 'postgres', 'global', 'pg_control'), 'damaged');
  const damaged = await job(['--json', '--data', data]);
  expect(damaged).toMatchObject({ code: 1, stdout: '' });
  expect(damaged.stderr).toMatch(/^FolderDamagedError \(FOLDER_DAMAGED\): /);
}, 240_000);

test('the same on a PostgreSQL server', async () => {
  const stores = await (await sharedPostgres()).database('flights');
  expect(figuresOf(await job(['--json', '--stores', stores]))).toEqual(expected);
  expect(figuresOf(await job(['--json', '--stores', stores]))).toEqual(expected);
}, 180_000);

test('what is wrong with data, folder or command line is said in one message', async () => {
  const source = join(folder, 'broken');
  await mkdir(source);
  await writeFile(
    join(source, 'airports.csv'),
    'iata,name,city,state,country,latitude,longitude\nAAA,A,X,CA,USA,north,2\n',
  );
  const broken = await job(['--json', '--data', join(folder, 'none'), '--source', source]);
  expect(broken).toMatchObject({ code: 1, stdout: '' });
  expect(broken.stderr).toMatch(/^airports\.csv, line 2: latitude is 'north' and not a number of degrees.*\n$/);

  const missing = await job(['--data', join(folder, 'none'), '--source', join(folder, 'nowhere')]);
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect(missing.stderr).toContain('airports.csv: there is no such file');

  const unknown = await job(['--flight', '3m']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/^Unknown option '--flight'.*\n\nUsage: npm run demo/);

  await mkdir(join(folder, 'photos'));
  await writeFile(join(folder, 'photos', 'cat.jpg'), 'not a database');
  const foreign = await job(['--data', join(folder, 'photos')]);
  expect(foreign).toMatchObject({ code: 1, stdout: '' });
  expect(foreign.stderr).toMatch(/^\w+Error \([A-Z_]+\): .*photos/);
}, 120_000);

test('a job on a folder that is open elsewhere is told that it is in use', async () => {
  const data = join(folder, 'shared');
  await using _holder = await Storeweave.open({ entities: ENTITIES, stores: embedded({ path: data }) });
  const { code, stdout, stderr } = await job(['--json', '--data', data]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^FolderLockedError \(FOLDER_LOCKED\): /);
}, 180_000);
