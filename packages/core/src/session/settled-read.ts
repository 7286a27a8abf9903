/**
 * Reads that see only whole units of work, over any number of databases. What is under way in the stores that were read
 * is settled, everything is read once more, and the answer counts if both times it was the same and the journal has
 * nothing new: then there was a moment at which all of it was so (a double collect, as in Afek et al., "Atomic snapshots
 * of shared memory", 1993). That holds for what cannot change there and back unnoticed; what can, records that are absent
 * among them, is covered as long as the unit of work that changes it back is not finished before the last look.
 */
import { pause, throwIfAborted } from '../commit/waiting.js';
import { CapabilityError, SerializationError } from '../errors/errors.js';
import type { Store } from '../store/store.js';
import { valueKey } from '../store/value-key.js';
import { backOff } from './back-off.js';
import { CallContext } from './call-context.js';
import type { Environment } from './environment.js';
import type { CallOptions, WorkContext } from './ports.js';

/** How often it is read anew where what is read keeps changing. */
const ATTEMPTS = 30;

/** What changes all the time is met in a moment of rest by asking often. */
const LONGEST_PAUSE_MS = 40;

/** One call on a store, to be made again. */
interface Recorded {
  readonly store: string;
  readonly again: () => Promise<unknown>;
  readonly answer: string;
}

/**
 * Runs `read`, possibly several times. Throws `SerializationError` where what it reads changes each time, `TimeoutError`
 * where a unit of work that is under way does not end, `InvalidStateError` where a dead letter is to be applied in one of
 * the stores that it reads and cannot be, and what a store throws that cannot be asked.
 */
export async function readSettled<R>(
  environment: Environment,
  read: (work: WorkContext) => Promise<R>,
  { signal }: CallOptions = {},
): Promise<R> {
  const finished = new Set<string>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    throwIfAborted(signal);
    const recorded: Recorded[] = [];
    const result = await read(new CallContext(recording(environment, recorded)));
    const names = new Set(recorded.map((call) => call.store));
    const finisher = environment.engine?.finisher;
    const access = { ...(signal && { signal }) };
    const open = (await finisher?.settleStores(names, finished, access)) ?? 0;
    if (open === 0 && (await isSame(recorded))) {
      // What was decided since, and is on its way from one of these stores to the next, is in the journal.
      const isNew = (await finisher?.finishStores(names, finished, access)) ?? 0;
      if (isNew === 0) return result;
    }
    if (attempt > 0) await pause(Math.min(LONGEST_PAUSE_MS, backOff(attempt)), signal);
  }
  throw new SerializationError(
    `What was to be read settled changed ${ATTEMPTS} times while it was read. Read fewer entities at once, or do it again.`,
  );
}

async function isSame(recorded: readonly Recorded[]): Promise<boolean> {
  const answers = await Promise.all(recorded.map((call) => call.again()));
  return answers.every((answer, at) => valueKey(answer) === recorded[at]?.answer);
}

/** The same stores, whose reads are noted. */
function recording(environment: Environment, into: Recorded[]): Environment {
  const stores = new Map([...environment.stores].map(([name, store]) => [name, recorder(name, store, into)]));
  return { ...environment, stores };
}

function recorder(name: string, store: Store, into: Recorded[]): Store {
  const note = async <R>(again: () => Promise<R>): Promise<R> => {
    const result = await again();
    into.push({ store: name, again, answer: valueKey(result) });
    return result;
  };
  const { count, aggregate, graph, series } = store;
  return Object.create(store, {
    read: { value: (...[spec, access]: Parameters<Store['read']>) => note(() => store.read(spec, access)) },
    ...(count && { count: { value: (...args: Parameters<typeof count>) => note(() => count.apply(store, args)) } }),
    ...(aggregate && {
      aggregate: { value: (...args: Parameters<typeof aggregate>) => note(() => aggregate.apply(store, args)) },
    }),
    ...(graph && {
      graph: {
        value: {
          traverse: (...args: Parameters<typeof graph.traverse>) => note(() => graph.traverse(...args)),
          shortestPath: (...args: Parameters<typeof graph.shortestPath>) => note(() => graph.shortestPath(...args)),
        },
      },
    }),
    ...(series && {
      series: { value: { window: (...args: Parameters<typeof series.window>) => note(() => series.window(...args)) } },
    }),
    stream: { value: () => refuse(name, 'A stream') },
    write: { value: () => refuse(name, 'A write') },
    bulk: { value: () => refuse(name, 'A write') },
  }) as Store;
}

function refuse(store: string, what: string): never {
  throw new CapabilityError(
    `${what} in the store '${store}' cannot be part of a settled read, which reads everything twice. Do it outside.`,
    { store },
  );
}
