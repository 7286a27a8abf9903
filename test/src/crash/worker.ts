/** The process that is killed: one open Storeweave, which does what its parent asks for until it dies. */
import { subscribe } from 'node:diagnostics_channel';
import { COMMIT_CHANNEL, type StepEvent, Storeweave, type StoreweaveError } from '@storeweave/core';
import pg from 'pg';
import type { Answer, Command, WorkCommand } from './commands.js';
import { Striker } from './failpoints.js';
import { COUNTERS, entitiesIn, HUBS, Hub, rowsOf, SHELVES } from './model.js';
import { seeded } from './random.js';
import { keepReading, readOnce } from './reading.js';
import { type Rooms, storesIn } from './rooms.js';
import { type Snapshot, StoryWriter } from './story.js';
import { fullUnit, randomUnit } from './unit-plan.js';
import { type Bench, runUnit } from './unit-run.js';

interface Open extends Bench {
  readonly rooms: Rooms;
}

/** Quick, so that relays and the units' own processes meet. */
const RELAY = { intervalMs: 150, minAgeMs: 300, scrubMs: 1_000 };

const say = (answer: Answer): void => void process.send?.(answer);
/** Units of work that were left behind on purpose. */
const abandoned = new Set<string>();
/** Units of work with a step that failed or was struck. */
const left = new Set<string>();
let tellStruck: () => void = () => {};
const striker = new Striker(
  (unitOfWork) => !abandoned.has(unitOfWork),
  (strike, unitOfWork) => {
    left.add(unitOfWork);
    say({ reached: strike });
    tellStruck();
  },
);
let opened: Open | undefined;

async function obey(command: Command): Promise<Snapshot | undefined> {
  if (command.do === 'open') {
    const { rooms, relay } = command;
    const weave = await openWeave(rooms, { relay: relay ? RELAY : false, onStep: striker.listener });
    const story = new StoryWriter(command.story);
    opened = { weave, rooms, story, isLeft: (unitOfWork) => left.has(unitOfWork) };
    subscribe(COMMIT_CHANNEL, (message) => {
      const { step, moment, unitOfWork, store, by, error } = message as StepEvent;
      if (moment === 'failed') left.add(unitOfWork);
      const told = { say: 'step', step, moment, unitOfWork, store, by } as const;
      story.say({ ...told, ...(error !== undefined && { error: String(error) }) });
    });
    return undefined;
  }
  if (command.do === 'arm') return void striker.arm(command.strikes);
  if (opened === undefined) throw new Error('Nothing is open yet.');
  const { weave, rooms, story } = opened;
  switch (command.do) {
    case 'prepare':
      return void (await prepare(opened));
    case 'drain':
      if (rooms.stores.length > 1) await weave.journal.drain();
      return undefined;
    case 'read':
      return readOnce(weave, rooms, command.round);
    case 'work':
      return void (await work(command, opened));
    case 'abandon':
      return void (await abandon(command, opened));
    case 'close':
      await weave.close();
      story.close();
      return undefined;
  }
}

function openWeave(rooms: Rooms, commit: NonNullable<Parameters<typeof Storeweave.open>[0]['commit']>) {
  return Storeweave.open({ entities: entitiesIn(rooms.stores), stores: storesIn(rooms), commit });
}

async function prepare({ weave, rooms }: Open): Promise<void> {
  await weave.transaction((uow) => {
    if (rooms.stores.includes('graph')) for (let id = 0; id < HUBS; id++) uow.create(Hub, { id });
    for (const store of rooms.stores) {
      if (store === 'timeseries') continue;
      for (let id = 0; id < COUNTERS; id++)
        uow.create(rowsOf[store].counter, { id, shelf: id % SHELVES, total: 0, last: null });
    }
  });
}

async function work(command: WorkCommand, open: Open): Promise<void> {
  const { weave, rooms, story } = open;
  const { round, worker, seed, streams, full, isFirstAlone, meets } = command;
  const random = seeded(seed);
  // All choices are made here, in one order, whatever the streams then do to each other.
  const plans = Array.from({ length: command.units }, (_, n) => {
    const plan = n < full ? fullUnit(rooms.stores, random, meets) : randomUnit(rooms.stores, random);
    return { unit: `${round}${worker}${n}`, plan };
  });
  const run = ({ unit, plan }: (typeof plans)[number]) => runUnit(open, { unit, round }, plan);
  const stream = async () => {
    for (let next = plans.shift(); next !== undefined; next = plans.shift()) await run(next);
  };
  const struck = new Promise<void>((resolve) => {
    tellStruck = resolve;
  });
  const first = isFirstAlone ? plans.splice(0, 1).map(run) : [];
  await Promise.race([struck, Promise.all(first)]);
  const units = Promise.all([...first, ...Array.from({ length: streams }, stream)]);
  if (command.reads) {
    let isOver = false;
    units.finally(() => (isOver = true)).catch(() => {});
    await keepReading(
      () => isOver,
      async () => story.say({ say: 'saw', snapshot: await readOnce(weave, rooms, round) }),
    );
  }
  await units;
}

/** Another Storeweave comes to its decision and no further, and the server is told that its client is gone. */
async function abandon(
  { round, seed, isDecided }: Extract<Command, { do: 'abandon' }>,
  { rooms, story, isLeft }: Open,
): Promise<void> {
  let arrive: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const weave = await openWeave(rooms, {
    relay: false,
    onStep: ({ step, moment, unitOfWork }) => {
      if (step !== 'decide' || moment !== (isDecided ? 'after' : 'before')) return undefined;
      abandoned.add(unitOfWork);
      arrive();
      return new Promise(() => {});
    },
  });
  const over = runUnit({ weave, story, isLeft }, { unit: `${round}x`, round }, fullUnit(rooms.stores, seeded(seed)));
  await Promise.race([
    arrived,
    over.then(() => Promise.reject(new Error('The unit of work to be left behind ended before its decision.'))),
  ]);
  if (!isDecided) await endOpenTransactions(rooms.relational);
}

async function endOpenTransactions(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where datname = current_database() and state like 'idle in transaction%'`,
    );
  } finally {
    await client.end();
  }
}

process.on('message', ({ id, command }: { id: number; command: Command }) => {
  obey(command).then(
    (snapshot) => say({ answers: id, ...(snapshot && { snapshot }) }),
    (error: unknown) => say({ answers: id, error: describe(error) }),
  );
});
// Without a parent there is nobody to finish for.
process.on('disconnect', () => process.exit(0));
say({ answers: 0 });

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as Partial<StoreweaveError>;
  return `${code ?? error.name}: ${error.stack ?? error.message}`;
}
