/** A chaos plan that also writes down every call, so that a case can assert how many a behaviour costs. */
import { type ChaosCall, ChaosPlan, type Patience } from '../chaos/plan.js';

export interface RecordedCall {
  readonly call: ChaosCall;
  /** Name of the entity; empty for calls on a transaction or a whole store. */
  readonly entity: string;
}

const ENDS: ReadonlySet<ChaosCall> = new Set(['begin', 'commit', 'rollback', 'savepoint', 'rollbackTo', 'release']);

export class Recorder extends ChaosPlan {
  readonly #listeners = new Set<RecordedCall[]>();
  /** Entities that were written since the last `forget()`. */
  readonly touched = new Set<string>();

  override around<R>(call: ChaosCall, entity: string, patience: Patience, work: () => Promise<R>): Promise<R> {
    if (call === 'insert' || call === 'update' || call === 'patch' || call === 'bulk') this.touched.add(entity);
    for (const list of this.#listeners) list.push({ call, entity });
    return super.around(call, entity, patience, work);
  }

  async during(work: () => Promise<unknown>): Promise<readonly RecordedCall[]> {
    const list: RecordedCall[] = [];
    this.#listeners.add(list);
    try {
      await work();
    } finally {
      this.#listeners.delete(list);
    }
    return list;
  }
}

/** The calls that carry data: everything but the begin and end of transactions. */
export function dataCalls(calls: readonly RecordedCall[]): readonly RecordedCall[] {
  return calls.filter(({ call }) => !ENDS.has(call));
}
