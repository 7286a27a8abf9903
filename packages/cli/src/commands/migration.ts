/** `storeweave migration generate|run|revert`: TypeORM's migrations, made from our entities. */
import { dirname, resolve } from 'node:path';
import { ConfigurationError, Storeweave } from '@storeweave/core';
import type { Migrations } from '@storeweave/typeorm';
import { ExitCode } from '../exit-code.js';
import type { LoadedConfig } from '../load-config.js';
import type { Output } from '../output.js';

/** Options of `generate`. */
export interface GenerateFlags {
  /** What to do with changes that may lose values. */
  readonly destructive?: 'refuse' | 'omit' | 'include';
}

export function generateMigration(
  loaded: LoadedConfig,
  output: Output,
  name: string,
  { destructive = 'refuse' }: GenerateFlags,
): Promise<ExitCode> {
  const { directory = 'migrations', format = 'ts' } = loaded.config.migrations ?? {};
  return withMigrations(loaded, async (migrations) => {
    const written = await migrations.generate({
      name,
      directory: resolve(dirname(loaded.path), directory),
      destructive,
      format,
    });
    const text = written.map(
      (file) => `${file.path}\n${file.changes.map((change) => `  ${change.summary}`).join('\n')}`,
    );
    output.result(
      { written },
      written.length === 0 ? 'The database has everything; nothing was written.' : text.join('\n'),
    );
  });
}

export function runMigrations(loaded: LoadedConfig, output: Output): Promise<ExitCode> {
  return withMigrations(loaded, async (migrations) => {
    const pending = await migrations.pending();
    output.progress(`${pending.length} to run.`);
    const ran = await migrations.run();
    output.result({ ran }, ran.length === 0 ? 'No migration was pending.' : `Ran:\n  ${ran.join('\n  ')}`);
  });
}

export function revertMigration(loaded: LoadedConfig, output: Output): Promise<ExitCode> {
  return withMigrations(loaded, async (migrations) => {
    const reverted = await migrations.revert();
    output.result(
      { reverted: reverted ?? null },
      reverted === undefined ? 'No migration was run.' : `Reverted ${reverted}.`,
    );
  });
}

async function withMigrations(
  { config, path }: LoadedConfig,
  run: (migrations: Migrations) => Promise<void>,
): Promise<ExitCode> {
  const { migrations: { store: name = 'relational' } = {}, ...options } = config;
  const store = config.stores[name];
  if (store === undefined) {
    throw new ConfigurationError(
      `${path} binds no store to the name "${name}", whose migrations were asked for. Bound are: ${Object.keys(config.stores).join(', ')}.`,
    );
  }
  const { migrations } = await typeormPlugin();
  await using weave = await Storeweave.open({ ...options, schema: 'ignore' });
  void weave;
  await run(migrations(store));
  return ExitCode.ok;
}

async function typeormPlugin(): Promise<typeof import('@storeweave/typeorm')> {
  try {
    return await import('@storeweave/typeorm');
  } catch (cause) {
    throw new ConfigurationError('Migrations need the package @storeweave/typeorm: npm install @storeweave/typeorm.', {
      cause,
    });
  }
}
