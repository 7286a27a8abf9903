/** The job on the engines that teams run, one for each data model, with the figures that it has everywhere. */
import { expect, test } from 'vitest';
import { figuresFromFiles } from './figures.fixture.js';
import { figuresOf, job } from './job.fixture.js';

test('the same figures on PostgreSQL, MongoDB, Neo4j and InfluxDB, each with its own model', async () => {
  expect(figuresOf(await job(['--json', '--stores', 'real']))).toEqual(await figuresFromFiles('20k'));
}, 900_000);
