/** `storeweave schema plan` and `apply`: the difference between all stores and the entities, and its end. */
import { type SchemaPlan, Storeweave } from '@storeweave/core';
import type { StoreweaveConfig } from '../config.js';
import { ExitCode } from '../exit-code.js';
import type { Output } from '../output.js';

/** With `check`, pending changes are the exit code `differs`. */
export async function schemaPlan(
  config: StoreweaveConfig,
  output: Output,
  options: { check: boolean },
): Promise<ExitCode> {
  await using weave = await open(config);
  const plan = await weave.schema.plan();
  output.result({ changes: plan.changes, pending: !plan.isEmpty }, plan.toString());
  return options.check && !plan.isEmpty ? ExitCode.differs : ExitCode.ok;
}

/** Leaves destructive changes out unless told otherwise, and then says what is left. */
export async function schemaApply(
  config: StoreweaveConfig,
  output: Output,
  options: { allowDestructive: boolean },
): Promise<ExitCode> {
  await using weave = await open(config);
  const before = await weave.schema.plan();
  output.progress(`${before.changes.filter(({ kind }) => kind !== 'drift').length} changes to make.`);
  const applied = await weave.schema.apply(options);
  const left = await weave.schema.plan();
  output.result({ applied: applied.changes, left: left.changes }, describe(applied, left));
  return left.isEmpty ? ExitCode.ok : ExitCode.differs;
}

function describe(applied: SchemaPlan, left: SchemaPlan): string {
  const done = applied.changes.length === 0 ? 'Nothing was to be done.' : `Applied:\n${applied}`;
  const destructive = left.changes.some((change) => change.destructive);
  const more = destructive ? '\nWhat may lose data is only applied with --allow-destructive.' : '';
  return left.changes.length === 0 ? done : `${done}\nLeft as it is:\n${left}${more}`;
}

function open({ migrations: _, ...options }: StoreweaveConfig): Promise<Storeweave> {
  return Storeweave.open({ ...options, schema: 'ignore' });
}
