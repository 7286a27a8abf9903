/** The code that docs/audit.md quotes. `audit.e2e.test.ts` runs all of it. */
import { subscribe } from 'node:diagnostics_channel';
import {
  Audited,
  AuditLog,
  type CommitHook,
  DataAccessLog,
  defineEntity,
  Id,
  type LostAccessRecords,
  Property,
  p,
  Relational,
  Storeweave,
  Version,
} from '@storeweave/core';
import { embedded } from '@storeweave/embedded';

// #region entities
@Relational()
@Audited({ reads: true, redact: ['taxNumber'] })
export class Patient {
  @Id() id!: string;
  @Property('string') name!: string;
  @Property('string') taxNumber!: string;
  @Version() version!: number;
}

export class Consent extends defineEntity({
  name: 'Consent',
  model: 'relational',
  props: { id: p.id(), patient: p.uuid(), given: p.boolean(), seen: p.integer({ default: 0 }) },
  audited: { only: ['given'] }, // a change of `seen` alone leaves no record
}) {}
// #endregion entities

// #region hook
export const fourEyes: CommitHook = {
  name: 'four eyes',
  beforeCommit(plan, { reason }) {
    const deletes = plan.operations.some(({ entity, operation }) => entity === 'Consent' && operation === 'delete');
    if (deletes && reason === undefined) throw new Error('who deletes a consent says why');
  },
};
// #endregion hook

/** Who is signed in, as a web framework would know it. */
export const session: { user?: string } = {};

export function openInMemory(): Promise<Storeweave> {
  // #region open
  return Storeweave.open({
    entities: [Patient, Consent],
    stores: embedded(),
    audit: { context: () => ({ actor: session.user }) }, // whoever is signed in, where a unit of work is not told
    hooks: [fourEyes],
  });
  // #endregion open
}

export async function change(weave: Storeweave): Promise<readonly unknown[]> {
  // #region change
  const from = { region: 'eu-west', host: 'web-1', address: '192.0.2.7' };
  const ada = await weave.transaction({ actor: 'alice', reason: 'admission', from }, (uow) =>
    uow.create(Patient, { name: 'Ada', taxNumber: '12345' }),
  );
  await weave.repository(Patient).update({ name: 'Ada' }, { name: 'Ada L.' }); // by filter, and on record all the same
  const story = await weave.repository(AuditLog).find({
    where: { entity: 'Patient', key: ada.id },
    orderBy: { id: 'asc' },
  });
  // #endregion change
  return story.map(({ actor, operation, before, after }) => [actor, operation, before, after]);
}

export async function read(weave: Storeweave): Promise<readonly unknown[]> {
  // #region read
  await weave.repository(Patient).find({ where: { taxNumber: '12345' } });
  await weave.accessLog?.flush(); // as close() does; otherwise they are written by themselves, a moment later
  const [seen] = await weave.repository(DataAccessLog).find({ where: { entity: 'Patient' } });
  // #endregion read
  return [seen?.actor, seen?.operation, seen?.count, seen?.filter];
}

export function alarm(sound: (records: number, error: unknown) => void): void {
  // #region lost
  subscribe('storeweave:audit:lost', (event) => {
    const { records, error } = event as LostAccessRecords;
    sound(records, error);
  });
  // #endregion lost
}
