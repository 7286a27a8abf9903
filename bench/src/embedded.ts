/**
 * Storeweave on the embedded PGlite and on one PostgreSQL server, beside batched SQL written by hand through the same
 * driver (pg; on PGlite through its adapter for pg): commit of new entities, tracked load, commit of changes among
 * many loaded, heap per loaded entity.
 */
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { Storeweave } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { startPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { v7 } from 'uuid';
import { Employee, type EmployeeData, employees } from './employee.js';
import * as hand from './hand-written.js';
import { type BenchOptions, type BenchRow, type Contender, compare, compareMemory } from './rounds.js';

export async function run(options: BenchOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];

  const pglite = await PGlite.create();
  const adapted = new pg.Client(createPgConfig(pglite) as pg.ClientConfig);
  await adapted.connect();
  try {
    await using weave = await Storeweave.open({ entities: [Employee], stores: embedded({}) });
    rows.push(...(await bench('pglite', weave, adapted, options)));
  } finally {
    await adapted.end();
    await pglite.close();
  }

  const server = await startPostgres();
  try {
    const url = await server.database('bench_embedded');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await using weave = await Storeweave.open({ entities: [Employee], stores: embedded({ url }) });
      rows.push(...(await bench(`postgres ${server.version}`, weave, client, options)));
    } finally {
      await client.end();
    }
  } finally {
    await server.stop();
  }
  return rows;
}

async function bench(server: string, weave: Storeweave, client: pg.Client, options: BenchOptions): Promise<BenchRow[]> {
  const round = { rounds: options.rounds, warmUp: 5 };
  const repository = weave.repository(Employee);
  const rows: BenchRow[] = [];
  await hand.createTable(client);
  const clear = async () => {
    await hand.clear(client);
    await weave.relational(Employee).sql`truncate employees`;
  };

  for (const n of [1_000, 10_000]) {
    let data: EmployeeData[] = [];
    const fresh = async () => {
      data = employees(n, v7);
    };
    // One object of each contender lives on, as some always do in an application at work. With the last object of a
    // class its hidden class goes, and with that the machine code compiled for it: every round would start cold.
    const kept: object[] = [];
    const contenders: Contender[] = [
      {
        name: 'hand-written',
        prepare: fresh,
        run: () => {
          kept[0] = data.at(-1) ?? kept;
          return hand.insert(client, data);
        },
        clean: clear,
      },
      {
        name: 'storeweave',
        prepare: fresh,
        run: () =>
          weave.transaction(async (uow) => {
            for (const row of data) kept[1] = uow.create(Employee, row);
            return data.length;
          }),
        clean: clear,
      },
    ];
    rows.push(...(await compare(`${server}: commit of new`, n, contenders, round)));
    if (kept.length !== contenders.length) throw new Error('a contender made nothing');
  }

  const n = 10_000;
  const data = employees(n, v7);
  await hand.insert(client, data);
  await repository.insert(data);

  rows.push(
    ...(await compare(
      `${server}: load`,
      n,
      [
        { name: 'hand-written', run: async () => (await hand.load(client)).length },
        { name: 'storeweave', run: async () => (await weave.session().repository(Employee).find()).length },
      ],
      round,
    )),
  );

  const changed = 1_000;
  const step = n / changed;
  let loaded: hand.Loaded[] = [];
  let session = weave.session();
  let tracked: Employee[] = [];
  rows.push(
    ...(await compare(
      `${server}: commit of changes among 10000`,
      changed,
      [
        {
          name: 'hand-written',
          prepare: async () => {
            loaded = await hand.load(client);
          },
          run: () => {
            const some = loaded.filter((_, i) => i % step === 0);
            for (const row of some) {
              row.name += '!';
              row.score += 1;
            }
            return hand.update(client, some);
          },
        },
        {
          name: 'storeweave',
          prepare: async () => {
            session = weave.session();
            tracked = await session.repository(Employee).find();
          },
          run: async () => {
            const some = tracked.filter((_, i) => i % step === 0);
            for (const row of some) {
              row.name += '!';
              row.score += 1;
            }
            await session.commit();
            return some.length;
          },
        },
      ],
      round,
    )),
  );
  loaded = [];
  tracked = [];
  session = weave.session();

  rows.push(
    ...(await compareMemory(
      `${server}: heap bytes of one loaded`,
      n,
      [
        { name: 'hand-written', load: () => hand.load(client) },
        {
          name: 'storeweave',
          load: async () => {
            const own = weave.session();
            return [own, await own.repository(Employee).find()];
          },
        },
      ],
      round,
    )),
  );
  return rows;
}
