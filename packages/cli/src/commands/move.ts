/** `storeweave move`: an entity's rows from one store to another, resumable, verified by count and by content. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigurationError, type MoveProgress, type MoveReport, moveEntity } from '@storeweave/core';
import { ExitCode } from '../exit-code.js';
import type { LoadedConfig } from '../load-config.js';
import { columns, type Output } from '../output.js';

export interface MoveFlags {
  readonly from: string;
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
  const pageSize = Number(flags.pageSize);
  if (!Number.isInteger(pageSize) || pageSize < 1) {
    throw new ConfigurationError(`--page-size takes a whole number of rows, 1 or more, not "${flags.pageSize}".`);
  }
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
  output.result(report, describe(report));
  return report.isEqual ? ExitCode.ok : ExitCode.differs;
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

/** A line for each phase when it begins, at most one in a second while it goes on, and one at its end. */
class Meter {
  #phase = '';
  #last = 0;
  #began = 0;

  constructor(private readonly output: Output) {}

  show({ entity, phase, done, total }: MoveProgress): void {
    const now = performance.now();
    const isNew = this.#phase !== `${phase} ${entity}`;
    if (isNew) [this.#phase, this.#began] = [`${phase} ${entity}`, now];
    if (!isNew && done < total && now - this.#last < 1_000) return;
    this.#last = now;
    const width = 30;
    const filled = total === 0 ? width : Math.min(width, Math.round((done / total) * width));
    const seconds = (now - this.#began) / 1_000;
    const pace = seconds > 0 ? `, ${Math.round(done / seconds)} rows/s` : '';
    this.output.progress(
      `${this.#phase} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done} of ${total}${pace}`,
    );
  }
}

function describe({ isEqual, entities }: MoveReport): string {
  const head = ['entity', 'source', 'target', 'copied', 'repaired', 'content'];
  const rows = entities.map((moved) => [
    moved.entity,
    String(moved.source),
    String(moved.target),
    String(moved.copied),
    String(moved.repaired),
    moved.sourceDigest === moved.targetDigest ? `equal ${moved.sourceDigest.slice(0, 12)}` : 'DIFFERENT',
  ]);
  const differences = entities.flatMap((moved) =>
    moved.differences.map(
      ({ key, kind, fields }) =>
        `- ${moved.entity} ${key.map(String).join(', ')}: ${kind}${fields === undefined ? '' : ` in ${fields.join(', ')}`}`,
    ),
  );
  const verdict = isEqual
    ? 'Both stores hold the same rows. The old ones are still there.'
    : `The stores differ:\n${differences.join('\n')}\nRows that only the target has are deleted with --delete-extra.`;
  return `${columns([head, ...rows])}\n\n${verdict}`;
}
