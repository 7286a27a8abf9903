/** Single things that an application asks of its unit of work beside finds and commits. */
import { EntityNotFoundError, InvalidStateError } from '../errors/errors.js';
import { keyOfInstance } from '../relations/entity-key.js';
import { stateOf } from '../unit-of-work/entity-state.js';
import { storeNamed } from './environment.js';
import { readRows } from './flush-reads.js';
import type { Work } from './work.js';

/** Reads an entity again and overwrites it; relations are no longer loaded. */
export async function refreshEntity(work: Work, instance: object): Promise<void> {
  work.check();
  const state = stateOf(instance);
  const model = work.tracked.modelOf(instance);
  const key = keyOfInstance(model, instance);
  if (state?.row === undefined || !work.tracked.has(instance)) {
    throw new InvalidStateError(
      `This ${model.name} (${String(key)}) cannot be refreshed: it is ${state === undefined || !work.tracked.has(instance) ? 'not in this unit of work' : 'new and not written yet'}.`,
      { entity: model.name, key },
    );
  }
  const { row } = state;
  const ids = model.ids.map((id) => row[id.index]);
  const rows = await readRows(work.quiet, model, model.ids, [ids]);
  if (rows.length === 0) {
    throw new EntityNotFoundError(
      `${model.name} ${String(key)} is not in the store '${model.store}' any more, so it cannot be refreshed. detach() or remove() it.`,
      { entity: model.name, key, store: model.store },
    );
  }
  work.tracked.reset(state);
  work.tracked.materialize(model, rows, true);
}

/** The driver's own object, enlisted in the running transaction. */
export async function nativeOf(work: Work, name: string): Promise<unknown> {
  work.check();
  const store = storeNamed(work.environment, name);
  const entity = work.environment.domain.entities.find((model) => model.store === name);
  return store.native(await work.nativeAccess(store, entity));
}
