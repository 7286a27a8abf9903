/**
 * What goes wrong, and when: a list of rules that a test gives a chaos store and may change while it runs. A rule is
 * met by calls of a kind, on an entity, from its nth match on; it fails them before or after they took effect, delays
 * them, or lets them hang until their signal or limit ends the wait.
 */
import { AbortedError, ConnectionError, TimeoutError } from '@storeweave/core';

/** Calls of the SPI that can go wrong. Writes go by the operation of their batch. */
export type ChaosCall =
  | 'open'
  | 'close'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'rollbackTo'
  | 'release'
  | 'read'
  | 'stream'
  | 'count'
  | 'aggregate'
  | 'insert'
  | 'update'
  | 'delete'
  | 'bulk'
  | 'patch'
  | 'traverse'
  | 'shortestPath'
  | 'window'
  | 'sql'
  | 'advanceSequences'
  | 'inspect'
  | 'plan'
  | 'apply';

export interface ChaosRule {
  /** Default: every kind of call. */
  readonly call?: ChaosCall | readonly ChaosCall[];
  /** Name of the entity; default: any. Calls on a transaction have none. */
  readonly entity?: string;
  /** First match that is met, from 1; default 1. */
  readonly nth?: number;
  /** How many matches are met from then on; default 1. `Infinity`: all. */
  readonly times?: number;
  /** Error to throw, or what makes it; default a `ConnectionError`. */
  readonly fail?: Error | (() => Error);
  /** With a failure: before the call reached the store (default), or after it took effect. */
  readonly when?: 'before' | 'after';
  /** Milliseconds to wait before the call. Without `fail` it then succeeds. */
  readonly delayMs?: number;
  /** Never answers; ends with the call's signal or limit. */
  readonly hang?: boolean;
}

/** What a call may be ended by. */
export interface Patience {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

interface Counted {
  readonly rule: ChaosRule;
  seen: number;
}

export class ChaosPlan {
  #rules: Counted[] = [];
  /** Calls that were met, in order: for assertions. */
  readonly met: { readonly call: ChaosCall; readonly entity: string }[] = [];

  constructor(rules: readonly ChaosRule[] = []) {
    for (const rule of rules) this.add(rule);
  }

  add(rule: ChaosRule): this {
    this.#rules.push({ rule, seen: 0 });
    return this;
  }

  /** Nothing goes wrong from now on. */
  clear(): void {
    this.#rules = [];
  }

  /** Runs a call under the rules that it matches. */
  async around<R>(call: ChaosCall, entity: string, patience: Patience, work: () => Promise<R>): Promise<R> {
    const rules = this.#meet(call, entity);
    for (const rule of rules) await obstruct(rule, call, entity, patience);
    const before = rules.find((rule) => isFailure(rule) && rule.when !== 'after');
    if (before !== undefined) throw errorOf(before, call, entity);
    const result = await work();
    const after = rules.find((rule) => isFailure(rule) && rule.when === 'after');
    if (after !== undefined) throw errorOf(after, call, entity);
    return result;
  }

  #meet(call: ChaosCall, entity: string): ChaosRule[] {
    const met: ChaosRule[] = [];
    for (const counted of this.#rules) {
      const { rule } = counted;
      if (rule.call !== undefined && !(typeof rule.call === 'string' ? [rule.call] : rule.call).includes(call))
        continue;
      if (rule.entity !== undefined && rule.entity !== entity) continue;
      counted.seen++;
      const first = rule.nth ?? 1;
      if (counted.seen >= first && counted.seen < first + (rule.times ?? 1)) met.push(rule);
    }
    if (met.length > 0) this.met.push({ call, entity });
    return met;
  }
}

function isFailure(rule: ChaosRule): boolean {
  return rule.fail !== undefined || (rule.delayMs === undefined && rule.hang !== true);
}

function errorOf(rule: ChaosRule, call: ChaosCall, entity: string): Error {
  if (typeof rule.fail === 'function') return rule.fail();
  return (
    rule.fail ??
    new ConnectionError(
      `The connection was lost at ${call}${entity === '' ? '' : ` of ${entity}`}, as the test told it to.`,
    )
  );
}

async function obstruct(rule: ChaosRule, call: ChaosCall, entity: string, patience: Patience): Promise<void> {
  if (rule.delayMs === undefined && rule.hang !== true) return;
  const what = `${call}${entity === '' ? '' : ` of ${entity}`}`;
  const { signal, timeoutMs } = patience;
  const delayMs = rule.hang === true ? undefined : rule.delayMs;
  await new Promise<void>((resolve, reject) => {
    const timers: ReturnType<typeof setTimeout>[] = [];
    const finish = (end: () => void) => {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      end();
    };
    const onAbort = () =>
      finish(() => reject(new AbortedError(`The signal ended ${what}.`, { cause: signal?.reason })));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (timeoutMs !== undefined)
      timers.push(
        setTimeout(
          () => finish(() => reject(new TimeoutError(`${what} had no answer within ${timeoutMs} ms.`))),
          timeoutMs,
        ),
      );
    if (delayMs !== undefined) timers.push(setTimeout(() => finish(resolve), delayMs));
  });
}
