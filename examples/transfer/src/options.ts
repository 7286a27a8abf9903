/** The command line. */
import { parseArgs } from 'node:util';
import { isMoment, MOMENTS, type Moment } from './moments.js';

export interface Options {
  /** Where each transfer is to die; none: nothing dies. */
  readonly kills: readonly Moment[];
  readonly json: boolean;
}

const moments = Object.entries(MOMENTS).map(([name, what]) => `                       ${name.padEnd(7)} ${what}`);

export const USAGE = `Usage: npm start -w @storeweave/example-transfer -- [options]

  --kill MOMENTS     kill the process in the middle of the commit, when
${moments.join('\n')}
                     several with commas between, or all: one transfer for each
  --json             print what was seen as one JSON object and nothing else
  --help             print this

The servers are those of STOREWEAVE_MONGODB_URL, _NEO4J_URL and _INFLUXDB_URL; what has no URL is started for this run.
`;

/** The command line cannot be understood; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Undefined where help was asked for. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { kill, json = false, help = false } = parse(args);
  if (help) return undefined;
  return { kills: readKills(kill), json };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: { kill: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readKills(kill: string | undefined): readonly Moment[] {
  if (kill === undefined) return [];
  if (kill === 'all') return Object.keys(MOMENTS).filter(isMoment);
  return kill.split(',').map((moment) => {
    if (isMoment(moment)) return moment;
    throw new UsageError(`--kill takes ${Object.keys(MOMENTS).join(', ')} or all, not '${moment}'.`);
  });
}
