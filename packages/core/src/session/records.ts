/** How a unit of work gets its changes on record: its flushes, and its calls that pass the entities by. */
import type { ChangeSet } from '../commit/change.js';
import type { PlannedWrite } from '../commit/planned-write.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import { byKeys } from './flush-reads.js';
import type { AuditedUnit, WorkContext } from './ports.js';
import type { ContextHost } from './unit-context.js';

/** The writes of a flush with the records of what they change. */
export async function accompany(
  host: ContextHost,
  inner: WorkContext,
  writes: readonly PlannedWrite[],
  changes: ChangeSet,
): Promise<readonly PlannedWrite[]> {
  const { audit } = host.environment;
  if (audit === undefined) return writes;
  return audit.accompany(writes, changes, {
    stamp: audit.stamp(host.options, host.id),
    lockedRows: (entity, keys) => lockedRows(inner, entity, keys),
  });
}

/** The same for a plan. */
export function preview(
  host: ContextHost,
  writes: readonly PlannedWrite[],
  changes: ChangeSet,
): readonly PlannedWrite[] {
  const { audit } = host.environment;
  return audit === undefined ? writes : audit.preview(writes, changes, audit.stamp(host.options, host.id));
}

export function auditedUnit(host: ContextHost, work: WorkContext): AuditedUnit {
  const { audit } = host.environment;
  return {
    work,
    records: (entity, changes) => audit?.rows(entity, changes, audit.stamp(host.options, host.id)) ?? [],
  };
}

async function lockedRows(inner: WorkContext, entity: EntityModel, keys: readonly Row[]): Promise<readonly Row[]> {
  const access = await inner.access(entity, [], {});
  const store = inner.store(entity);
  const isLocked = store.capabilities.rowLocks && access.transaction !== undefined;
  const spec = { entity, fields: entity.fields, where: byKeys(entity.ids, keys) };
  return store.read({ ...spec, ...(isLocked ? { lock: 'update' as const } : {}) }, access);
}
