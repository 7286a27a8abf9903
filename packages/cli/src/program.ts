/**
 * The command line: reads it, runs one command, and turns what was thrown into a message and an exit code. Prints only to
 * the streams that it is given, and ends no process, so that it can be tested and embedded.
 */
import { ConfigurationError, StoreweaveError } from '@storeweave/core';
import { Command, CommanderError, Option } from 'commander';
import { doctor } from './commands/doctor.js';
import {
  journalDiscard,
  journalList,
  journalRetry,
  journalShow,
  journalStats,
  type ListFlags,
} from './commands/journal.js';
import { type GenerateFlags, generateMigration, revertMigration, runMigrations } from './commands/migration.js';
import { type MoveFlags, move } from './commands/move.js';
import { abortMove, moveOnline, type OnlineFlags } from './commands/move-online.js';
import { type RelayFlags, relay } from './commands/relay.js';
import { schemaApply, schemaPlan } from './commands/schema.js';
import { ExitCode } from './exit-code.js';
import { type LoadedConfig, loadConfig } from './load-config.js';
import { Output, type Streams } from './output.js';

/** Where a run of the command reads and writes. */
export interface Io extends Streams {
  /** Where relative paths begin, and where the configuration file is looked for. */
  readonly cwd: string;
  /** Ends a `relay`. Default: SIGTERM and SIGINT of this process. */
  readonly signal?: AbortSignal;
}

type Action = (loaded: LoadedConfig, output: Output) => Promise<ExitCode>;

/**
 * Runs the command line `args` (without node and the script) and resolves with the exit code: 0 done, 1 what was found is
 * not as it should be, 2 not understood, 3 failed. Rejects only for a fault of its own.
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let code: ExitCode = ExitCode.ok;
  const program = new Command('storeweave')
    .description('Schema, migrations, commits and health of every store of one domain model.')
    .option('-c, --config <file>', 'configuration file (default: storeweave.config.ts, .mts, .js or .mjs)')
    .option('--json', 'print the result as one JSON object and nothing else')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
  const run = async (action: Action): Promise<void> => {
    const { config, json = false } = program.opts<{ config?: string; json?: boolean }>();
    const loaded = await loadConfig(config, io.cwd);
    try {
      code = await action(loaded, new Output(io, json));
    } finally {
      await loaded.close();
    }
  };

  const schema = program.command('schema').description('the difference between the stores and the entities');
  schema
    .command('plan')
    .description('print what would be changed, and change nothing')
    .option('--check', 'exit with 1 where something would be', false)
    .action((options: { check: boolean }) => run(({ config }, output) => schemaPlan(config, output, options)));
  schema
    .command('apply')
    .description('bring the stores up to the entities; never loses data unless told to')
    .option('--allow-destructive', 'also make changes that lose values or that rows may refuse', false)
    .action((options: { allowDestructive: boolean }) =>
      run(({ config }, output) => schemaApply(config, output, options)),
    );

  const migration = program.command('migration').description("TypeORM's migrations, made from the entities");
  migration
    .command('generate <name>')
    .description('write what the database lacks as a migration')
    .addOption(
      new Option('--destructive <how>', 'what to do with changes that may lose values').choices([
        'refuse',
        'omit',
        'include',
      ]),
    )
    .action((name: string, flags: GenerateFlags) =>
      run((loaded, output) => generateMigration(loaded, output, name, flags)),
    );
  migration
    .command('run')
    .description('run every pending migration')
    .action(() => run(runMigrations));
  migration
    .command('revert')
    .description('revert the last migration')
    .action(() => run(revertMigration));

  program
    .command('move <entity>')
    .description(
      'copy an entity to the store that it is declared for, and verify; without --online nobody may write it',
    )
    .option('--from <store>', 'logical name that the store is bound to which has the rows')
    .option('--to <store>', 'logical name of the store that it moves to; checked against the declaration')
    .option('--page-size <rows>', 'rows at a time', '1000')
    .option('--delete-extra', 'delete rows that only the target has', false)
    .option(
      '--state <file>',
      'where a stopped move goes on (default: .storeweave/move-<entity>.json beside the configuration)',
    )
    .option('--online', 'while the application runs, as "moving" in its configuration declares', false)
    .addOption(
      new Option('--abort', 'give an online move up that is not over').default(false).implies({ online: true }),
    )
    .option('--max-hold <ms>', 'with --online: longest time that writers are made to wait for the switch', '5000')
    .option('--lease <ms>', 'with --online: a mover that shows no life for so long is dead', '10000')
    .action((entity: string, flags: MoveFlags & OnlineFlags & { online: boolean; abort: boolean }) =>
      run((loaded, output) => {
        if (!flags.online) return move(loaded, output, entity, flags);
        return flags.abort ? abortMove(loaded, output, entity, flags) : moveOnline(loaded, output, entity, flags);
      }),
    );

  const journal = program
    .command('journal')
    .description('units of work over several databases that are decided and not applied everywhere');
  journal
    .command('list')
    .description('print them, oldest first: what each has left to do, and why it failed')
    .option('--dead', 'dead letters instead: what no relay tries any more', false)
    .option('--limit <units>', 'at most so many', '100')
    .action((flags: ListFlags) => run(({ config }, output) => journalList(config, output, flags)));
  journal
    .command('show <unit>')
    .description('print what became of one; exit with 1 where the journal has no row of it')
    .action((unit: string) => run(({ config }, output) => journalShow(config, output, unit)));
  journal
    .command('retry [units...]')
    .description('give them back to the relays')
    .option('--all-dead', 'every dead letter', false)
    .action((units: string[], flags: { allDead: boolean }) =>
      run(({ config }, output) => journalRetry(config, output, units, flags)),
    );
  journal
    .command('discard <unit>')
    .description('give a dead letter up for good: this breaks its unit of work apart')
    .requiredOption('--reason <text>', 'why, for those who look at it later')
    .action((unit: string, flags: { reason: string }) =>
      run(({ config }, output) => journalDiscard(config, output, unit, flags)),
    );
  journal
    .command('stats')
    .description('print how many are open and dead, and the age of the oldest')
    .option('--check', 'exit with 1 where there are dead letters', false)
    .action((flags: { check: boolean }) => run(({ config }, output) => journalStats(config, output, flags)));

  program
    .command('relay')
    .description(
      'finish units of work of processes that died, until SIGTERM or SIGINT; --json prints one object a line',
    )
    .option('--once', 'finish what can be finished now, and end; exit with 1 where something is left', false)
    .option('--interval <ms>', 'between two looks at the journal where there is nothing to do')
    .action((flags: RelayFlags) => run(({ config }, output) => relay(config, output, flags, io.signal)));

  program
    .command('doctor')
    .description('connect to each store: version, latency, clock, capabilities, and what is missing')
    .action(() => run(({ config }, output) => doctor(config, output)));

  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, args.includes('--json'), io);
  }
}

/** Commander has printed its own errors by then. */
function explain(error: unknown, json: boolean, io: Io): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (!(error instanceof StoreweaveError)) throw error;
  const { code, message } = error;
  io.stderr.write(json ? `${JSON.stringify({ error: { code, message } })}\n` : `${message} (${code})\n`);
  return error instanceof ConfigurationError ? ExitCode.usage : ExitCode.failed;
}
