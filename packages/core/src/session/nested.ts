/**
 * A transaction inside a transaction: a savepoint in every native transaction that is running, and a mark in memory. If
 * it fails, both go back there: what it wrote is undone, entities that it created are forgotten, and those that it
 * changed are what they were when it began.
 */
import { entityCodec } from '../hydrate/entity-codec.js';
import { Collection, collectionState } from '../relations/collection.js';
import { RelationContainer } from '../relations/container.js';
import { Ref, refState } from '../relations/ref.js';
import { seriesState, TimeSeries } from '../relations/time-series.js';
import type { EntityState } from '../unit-of-work/entity-state.js';
import { keyOfTarget } from '../unit-of-work/reference-key.js';
import { attachAgain, isChanged } from '../unit-of-work/relation-input.js';
import type { Scope } from './current-work.js';
import type { Work } from './work.js';

/** Runs `body` nested in the innermost level of `work` that the caller is in. */
export async function runNested<R>(work: Work, body: () => Promise<R>): Promise<R> {
  const { current } = work.environment;
  const present = current.scope();
  const outer = present?.work === work ? present : work.rootScope;
  const scope: Scope = { work, turn: Promise.resolve() };
  const result = outer.turn.then(() => attempt(work, () => current.run(scope, body)));
  outer.turn = result.catch(() => {});
  return result;
}

let savepoints = 0;

async function attempt<R>(work: Work, body: () => Promise<R>): Promise<R> {
  work.check();
  // What came before belongs to the outer transaction, whatever becomes of this one.
  await work.flush();
  savepoints = (savepoints + 1) % Number.MAX_SAFE_INTEGER;
  const mark = await work.transactions.mark(`storeweave_${savepoints}`);
  const undone = work.undoCount;
  const fresh = new Set(work.tracked.fresh);
  const doomed = new Set(work.tracked.doomed);
  try {
    const result = await body();
    await work.flush();
    await work.transactions.release(mark);
    return result;
  } catch (error) {
    if (work.isOver) throw error;
    await work.transactions.rollbackTo(mark);
    work.undoTo(undone);
    work.recover();
    restore(work, fresh, doomed);
    throw error;
  }
}

function restore(work: Work, fresh: ReadonlySet<EntityState>, doomed: ReadonlySet<EntityState>): void {
  const { tracked } = work;
  for (const state of [...tracked.fresh]) if (!fresh.has(state)) tracked.forget(state);
  for (const state of fresh) tracked.fresh.add(state);
  for (const state of [...tracked.doomed]) {
    if (doomed.has(state)) continue;
    state.status = 'managed';
    tracked.doomed.delete(state);
  }
  for (const container of [...tracked.touched]) {
    discard(container);
    tracked.touched.delete(container);
  }
  for (const model of tracked.identities.models()) {
    const codec = entityCodec(model);
    const bindings = tracked.bindings(model);
    for (const state of tracked.managed(model)) {
      if (state.row === undefined) continue;
      if (codec.diff(state.instance, state.row, keyOfTarget) === undefined) continue;
      codec.fill(state.instance, state.row, bindings);
      attachAgain(state.instance, bindings);
    }
  }
}

/** Drops changes of a container that no flush has written. */
function discard(container: RelationContainer): void {
  if (!isChanged(container)) return;
  if (container instanceof Collection) collectionState.discard(container);
  else if (container instanceof TimeSeries) seriesState.settle(container, seriesState.pending(container) ?? []);
  else if (container instanceof Ref && RelationContainer.relationOf(container)?.join.via === 'target') {
    const previous = refState.previous(container);
    if (previous === undefined) refState.refer(container, undefined);
    else refState.resolve(container, previous);
  }
}
