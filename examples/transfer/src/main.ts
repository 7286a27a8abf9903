/**
 * The example: a transfer of money over four databases, with a death in the middle of its commit where asked for. Exit
 * codes: 0 every transfer ended as promised, 1 one did not or a server cannot be had, 2 for a command line that makes no
 * sense.
 */
import { StoreweaveError } from '@storeweave/core';
import { type Options, readOptions, USAGE, UsageError } from './options.js';
import { startPlaces } from './places.js';
import { heading, seenTable, verdict } from './render.js';
import { beginStory, type Story, tell } from './show.js';

async function run({ kills, json }: Options): Promise<boolean> {
  const say = (text: string) => void process.stderr.write(json ? '' : `${text}\n`);
  const print = (text: string) => void process.stdout.write(json ? '' : `${text}\n`);
  const { places, stop } = await startPlaces(say);
  try {
    const { parties, seen: first } = await beginStory(places);
    let seen = first;
    const stories: Story[] = [];
    for (const [at, kill] of (kills.length === 0 ? [undefined] : kills).entries()) {
      const cents = (at + 1) * 500;
      print(`\n${underlined(heading({ cents, kill }))}`);
      const story = await tell(places, parties, seen, { cents, kill });
      seen = story.after;
      stories.push(story);
      if (kill !== undefined) print(`Killed. What is there now:\n${seenTable(story.found)}\n\nRestarted:`);
      print(`${seenTable(story.after)}\n${verdict(story)}`);
    }
    if (json) process.stdout.write(`${JSON.stringify({ stories })}\n`);
    return stories.every(({ outcome, expected }) => outcome === expected);
  } finally {
    await stop();
  }
}

function underlined(text: string): string {
  return `${text}\n${'─'.repeat(text.length)}`;
}

function fail(text: string, code: number): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = code;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(USAGE);
  else if (!(await run(options))) process.exitCode = 1;
} catch (error) {
  if (error instanceof UsageError) fail(`${error.message}\n\n${USAGE}`, 2);
  else if (error instanceof StoreweaveError) fail(`${error.name} (${error.code}): ${error.message}`, 1);
  else throw error;
}
