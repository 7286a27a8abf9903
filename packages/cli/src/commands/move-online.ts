/** `storeweave move --online`: the same while the application runs, for entities whose move its configuration declares. */
import { ConfigurationError, type EntityClass, Storeweave } from '@storeweave/core';
import type { StoreweaveConfig } from '../config.js';
import { ExitCode } from '../exit-code.js';
import type { LoadedConfig } from '../load-config.js';
import type { Output } from '../output.js';
import { whole } from './move.js';
import { describeMove, Meter } from './move-text.js';

export interface OnlineFlags {
  /** Checked against the declaration, where given. */
  readonly from?: string;
  readonly pageSize: string;
  readonly deleteExtra: boolean;
  /** Milliseconds that writers may be made to wait. */
  readonly maxHold: string;
  /** Milliseconds after which a mover that shows no life is dead. */
  readonly lease: string;
}

/** The exit code is `differs` where the target cannot keep some rows; the application then goes on with the old store. */
export async function moveOnline(
  { config }: LoadedConfig,
  output: Output,
  name: string,
  flags: OnlineFlags,
): Promise<ExitCode> {
  const entity = declared(config, name, flags.from);
  const options = {
    pageSize: whole('--page-size', flags.pageSize),
    maxHoldMs: whole('--max-hold', flags.maxHold),
    leaseMs: whole('--lease', flags.lease),
    deleteExtra: flags.deleteExtra,
  };
  const meter = new Meter(output);
  await using weave = await open(config);
  const report = await weave.moves.run(entity, { ...options, onProgress: (progress) => meter.show(progress) });
  const verdict = report.isMoved
    ? `${name} lives in its new store. Writers waited for ${Math.round(report.heldMs)} ms. The old rows are still there.`
    : 'The new store cannot keep these rows as they are. The application goes on with the old one.';
  output.result(report, report.entities.length === 0 ? verdict : `${describeMove(report)}\n\n${verdict}`);
  return report.isMoved ? ExitCode.ok : ExitCode.differs;
}

/** Gives a move up that is not over. */
export async function abortMove(
  { config }: LoadedConfig,
  output: Output,
  name: string,
  flags: Pick<OnlineFlags, 'from' | 'lease'>,
): Promise<ExitCode> {
  const entity = declared(config, name, flags.from);
  await using weave = await open(config);
  await weave.moves.abort(entity, { leaseMs: whole('--lease', flags.lease) });
  output.result({ aborted: name }, `The move of ${name} is given up. What was copied is still in the new store.`);
  return ExitCode.ok;
}

function declared({ moving = [] }: StoreweaveConfig, name: string, from: string | undefined): EntityClass {
  const found = moving.find(({ entity }) => entity.name === name);
  if (found === undefined) {
    throw new ConfigurationError(
      `The configuration declares no move of ${name}. Add { entity: ${name}, from: '…' } to "moving", and start every process of the application with it, before the move begins.`,
    );
  }
  if (from === undefined || from === found.from) return found.entity;
  throw new ConfigurationError(`${name} is declared to move from "${found.from}", not from "${from}".`);
}

function open({ migrations: _, ...options }: StoreweaveConfig): Promise<Storeweave> {
  return Storeweave.open({ ...options, commit: { ...options.commit, relay: false } });
}
