/** `storeweave move`: an entity's rows from one store to another, resumable, verified by count and by content. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigurationError, type MoveProgress, moveEntity } from '@storeweave/core';
import { ExitCode } from '../exit-code.js';
import type { LoadedConfig } from '../load-config.js';
import type { Output } from '../output.js';
import { describeMove, Meter } from './move-text.js';

export interface MoveFlags {
  readonly from?: string;
  /** Where the entity is declared to live; given, it is checked. */
  readonly to?: string;
  readonly pageSize: string;
  readonly deleteExtra: boolean;
  /** File that a stopped move goes on from. */
  readonly state?: string;
}

/** The exit code is `differs` where both sides do not hold the same rows in the end. */
export async function move(
  { config, path }: LoadedConfig,
  output: Output,
  entity: string,
  flags: MoveFlags,
): Promise<ExitCode> {
  const { from, to, deleteExtra } = flags;
  if (from === undefined) {
    throw new ConfigurationError('--from names the store that has the rows. With --online the configuration says it.');
  }
  const pageSize = whole('--page-size', flags.pageSize);
  const file = flags.state ?? join(dirname(path), '.storeweave', `move-${entity}.json`);
  const position = await readPosition(file);
  if (position !== undefined) output.progress(`Going on with a move of ${position.entity} that was stopped (${file}).`);
  const meter = new Meter(output);
  const saves = new Saves(file);
  const report = await moveEntity({
    ...config,
    entity,
    from,
    ...(to !== undefined && { to }),
    pageSize,
    deleteExtra,
    ...(position !== undefined && { position }),
    onProgress: (progress) => {
      meter.show(progress);
      if (progress.position !== undefined) saves.save(progress.position);
    },
  }).finally(() => saves.end());
  for (const left of [file, `${file}.new`]) await rm(left, { force: true });
  const verdict = report.isEqual
    ? 'Both stores hold the same rows. The old ones are still there.'
    : 'The stores differ. Rows that only the target has are deleted with --delete-extra.';
  output.result(report, `${describeMove(report)}\n\n${verdict}`);
  return report.isEqual ? ExitCode.ok : ExitCode.differs;
}

/** A whole number from 1 on. Throws `ConfigurationError` naming the flag. */
export function whole(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new ConfigurationError(`${flag} takes a whole number, 1 or more, not "${text}".`);
}

type Position = NonNullable<MoveProgress['position']>;

async function readPosition(file: string): Promise<Position | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Position;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigurationError(
      `${file}, which says where a stopped move goes on, cannot be read. Delete it to start over.`,
      {
        cause: error,
      },
    );
  }
}

/** Writes the last position, one write at a time. A position that is a page behind costs a page, and nothing else. */
class Saves {
  #next: Position | undefined;
  #writing: Promise<void> | undefined;

  constructor(private readonly file: string) {}

  save(position: Position): void {
    this.#next = position;
    this.#writing ??= this.#write();
  }

  async end(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true });
    while (this.#next !== undefined) {
      const position = this.#next;
      this.#next = undefined;
      // Whole or not at all, whenever we die.
      await writeFile(`${this.file}.new`, JSON.stringify(position));
      await rename(`${this.file}.new`, this.file);
    }
    this.#writing = undefined;
  }
}
