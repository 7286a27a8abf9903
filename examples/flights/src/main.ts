/**
 * The job: open the stores, load what is not there yet, ask the questions, print the answers. Exit codes: 0 done, 1 for
 * data or stores that do not serve, 2 for a command line that makes no sense, 130 when interrupted.
 */
import { Storeweave, StoreweaveError } from '@storeweave/core';
import { counted, QueryCount } from './counted.js';
import { DataError } from './data/data-error.js';
import { load, RefusedError, startOver } from './load.js';
import { ENTITIES } from './model.js';
import { type Options, readOptions, USAGE, UsageError } from './options.js';
import { progressOn, silent } from './progress.js';
import { busiestAirports, delays, figures, indirect, totals, twoHops } from './questions.js';
import { busiestTable, delayChart, loadLine, queryLine, reachTable, type Screen } from './render.js';
import { showcase, takeBack } from './showcase.js';
import { openPlaces, type Places } from './stores.js';

async function run(options: Options, signal: AbortSignal): Promise<void> {
  const places = await openPlaces(options, (text) => void process.stderr.write(options.json ? '' : `${text}\n`));
  try {
    await runOn(places, options, signal);
  } finally {
    await places.stop();
  }
}

async function runOn(places: Places, options: Options, signal: AbortSignal): Promise<void> {
  const count = new QueryCount();
  const weave = await Storeweave.open({
    entities: ENTITIES,
    stores: counted(places.stores, count),
  });
  try {
    if (options.fresh) await startOver(weave);
    const report = await load(weave, places, options, options.json ? silent : progressOn(process.stderr), signal);
    await takeBack(weave);
    if (options.json) {
      print(JSON.stringify(await figures(weave)));
      return;
    }
    print(loadLine(report, await totals(weave)));
    await answer(weave, places, count);
  } finally {
    await weave.close();
  }
}

async function answer(weave: Storeweave, { together }: Places, count: QueryCount): Promise<void> {
  const screen: Screen = {
    width: process.stdout.columns ?? 110,
    colours: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  };
  const heading = (text: string) => print(`\n${text}\n${'─'.repeat(text.length)}`);

  count.take();
  const busiest = await busiestAirports(weave, 10);
  const asked = count.take();
  heading('The ten airports with most departures');
  print(busiestTable(busiest));
  print(queryLine(asked));

  const reach = await twoHops(weave, 'SFO');
  heading('Within two hops from SFO');
  print(`${reach.direct.length} airports directly, ${indirect(reach).length} more with one stop:`);
  print(reachTable(reach, screen));
  print(queryLine(count.take()));

  const atOrd = await delays(weave, 'ORD');
  heading('Mean delay per day at ORD, minutes');
  print(delayChart(atOrd, screen));

  const commit = await showcase(weave);
  heading('One commit into four models');
  print('The plan, before it runs:');
  print(indent(commit.plan));
  print(
    `Committed in ${commit.milliseconds.toFixed(0)} ms, ${together ? 'in one transaction' : 'over four databases, all or nothing'}. Read back:`,
  );
  print(indent(commit.readBack.join('\n')));
  print('And taken back again, so that the next run finds the data as it was.');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

function fail(text: string, code: number): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = code;
}

const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
process.once('SIGTERM', () => interrupt.abort());

try {
  const options = readOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
  if (options === undefined) print(USAGE);
  else await run(options, interrupt.signal);
} catch (error) {
  if (interrupt.signal.aborted) fail('Interrupted. What was committed stays: start it again to go on from there.', 130);
  else if (error instanceof UsageError) fail(`${error.message}\n\n${USAGE}`, 2);
  else if (error instanceof DataError || error instanceof RefusedError) fail(error.message, 1);
  else if (error instanceof StoreweaveError) fail(`${error.name} (${error.code}): ${error.message}`, 1);
  else throw error;
}
