/**
 * A store as the core calls it: calls on one transaction take turns, and no wait outlasts its signal or time limit,
 * whether the store minds them or not. What a store lacks, its guard lacks, too.
 */
import { inTurn } from '../commit/turns.js';
import { pause, throwIfAborted, untilAborted } from '../commit/waiting.js';
import { FencedError, TimeoutError } from '../errors/errors.js';
import type { Access } from '../store/access.js';
import type { ReadSpec, Rows } from '../store/read.js';
import type { Store } from '../store/store.js';
import { backOff, FENCED_ATTEMPTS } from './back-off.js';

/** Calls on stores that have not been answered, so that nobody closes a store under them. */
export class CallCount {
  #open = 0;
  #waiting: (() => void)[] = [];

  enter(): void {
    this.#open++;
  }

  leave(): void {
    this.#open--;
    if (this.#open > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when every call has ended. */
  async none(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Settles the units of work whose fences a call has met. */
export type Settle = (error: FencedError, access: Access) => Promise<void>;

export function guardStore(store: Store, calls: CallCount, settle: Settle = async () => {}): Store {
  const guarded = async <R>(access: Access, call: () => Promise<R>): Promise<R> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await guardCall(calls, access, call);
      } catch (error) {
        // Inside a transaction it is for the whole unit of work to be done again: it may hold what the other waits for.
        if (!(error instanceof FencedError) || access.transaction !== undefined || attempt === FENCED_ATTEMPTS)
          throw error;
        await settle(error, access);
        await pause(backOff(attempt), access.signal);
      }
    }
  };
  const { stream, count, aggregate, bulk } = store;
  return {
    capabilities: store.capabilities,
    domain: store.domain,
    open: (context) => store.open(context),
    close: () => store.close(),
    read: (spec, access) => guarded(access, () => store.read(spec, access)),
    write: (batch, access) => guarded(access, () => store.write(batch, access)),
    native: (access) => store.native(access),
    ...(stream && { stream: (spec, access) => guardStream(guarded, stream.bind(store), spec, access) }),
    ...(count && { count: (entity, where, access) => guarded(access, () => count.call(store, entity, where, access)) }),
    ...(aggregate && { aggregate: (spec, access) => guarded(access, () => aggregate.call(store, spec, access)) }),
    ...(bulk && { bulk: (write, access) => guarded(access, () => bulk.call(store, write, access)) }),
    ...(store.schema && { schema: guardPart(guarded, store.schema) }),
    ...(store.graph && { graph: guardPart(guarded, store.graph) }),
    ...(store.series && { series: guardPart(guarded, store.series) }),
    ...(store.documents && { documents: guardPart(guarded, store.documents) }),
    ...(store.relational && { relational: guardPart(guarded, store.relational) }),
    ...(store.causality && { causality: store.causality }),
    // Asked each time: some know only when they are open what their server can do.
    get participant() {
      return store.participant && guardPart(guarded, store.participant);
    },
    get coordinator() {
      return store.coordinator && guardPart(guarded, store.coordinator);
    },
  };
}

/** Every method of a part that ends in an `Access` is guarded; others (placeholders, quoting) are plain functions. */
function guardPart<P extends object>(guarded: Guarded, part: P): P {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const last = args[args.length - 1];
        const call = () => Reflect.apply(member, target, args) as Promise<unknown>;
        return isAccess(last) ? guarded(last, call) : call();
      };
    },
  });
}

function isAccess(value: unknown): value is Access {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function guardCall<R>(calls: CallCount, access: Access, call: () => Promise<R>): Promise<R> {
  throwIfAborted(access.signal);
  calls.enter();
  try {
    return await limited(access, call);
  } finally {
    calls.leave();
  }
}

async function limited<R>(access: Access, call: () => Promise<R>): Promise<R> {
  const started = access.transaction === undefined ? call() : inTurn(access.transaction, call);
  const { timeoutMs } = access;
  if (timeoutMs === undefined) return untilAborted(started, access.signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate(access)), timeoutMs);
  });
  try {
    return await untilAborted(Promise.race([started, late]), access.signal);
  } finally {
    clearTimeout(timer);
    started.catch(() => {});
  }
}

type Guarded = <R>(access: Access, call: () => Promise<R>) => Promise<R>;

async function* guardStream(
  guarded: Guarded,
  stream: NonNullable<Store['stream']>,
  spec: ReadSpec,
  access: Access & { readonly batchSize: number },
): AsyncGenerator<Rows, void, undefined> {
  const rows = stream(spec, access)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await guarded(access, () => rows.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await guarded({ transaction: access.transaction }, async () => rows.return?.());
  }
}

function tooLate(access: Access): TimeoutError {
  return new TimeoutError(
    `${access.label ?? 'A call on a store'} took longer than its limit of ${access.timeoutMs} ms. Raise timeoutMs, or ask for less.`,
  );
}
