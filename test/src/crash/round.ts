/** One round: workers do units of work and are struck; then everything is started again, finished, and looked at. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from './bundle.js';
import { Looker } from './check/look.js';
import { verify } from './check/verify.js';
import { Crew, type Worker } from './crew.js';
import type { ServerName, Servers } from './servers.js';
import { readStory, type UnitStory } from './story.js';

export interface Counts {
  rounds: number;
  kills: number;
  serverRestarts: number;
}

/** No round takes longer, whatever hangs: then its worker is killed, which is one more way to die. */
const ROUND_MS = 40_000;
const DRAIN_MS = 90_000;
/** How long what is left is tried to be finished. */
const QUIET_MS = 30_000;

/** What the rounds of a run share: servers, workers, and all that is known of the units of work. */
export class Ground implements AsyncDisposable {
  readonly counts: Counts = { rounds: 0, kills: 0, serverRestarts: 0 };
  readonly violations: string[] = [];
  readonly stories: UnitStory[] = [];
  readonly #crew: Crew;
  readonly #looker: Looker;
  #committed: ReadonlySet<string> = new Set();
  #files = 0;
  /** Story files of the round under way. */
  #telling: string[] = [];
  /** Open, and drained what the round before left. */
  #fresh: Worker | undefined;

  private constructor(
    readonly servers: Servers,
    file: string,
    /** Of the stories, and of the worker's program. */
    private readonly folder: string,
  ) {
    this.#crew = new Crew(file);
    this.#looker = new Looker(servers.rooms);
  }

  static async open(servers: Servers): Promise<Ground> {
    const { file, folder } = await bundle(new URL('./worker.ts', import.meta.url));
    const ground = new Ground(servers, file, folder);
    const first = await ground.hire();
    await first.ask({ do: 'prepare' });
    ground.#fresh = first;
    return ground;
  }

  get round(): number {
    return this.counts.rounds;
  }

  /** A worker that has opened its stores: the one that finished the round before, if it still lives. */
  async worker(): Promise<Worker> {
    const fresh = this.#fresh;
    this.#fresh = undefined;
    return fresh ?? this.hire();
  }

  async hire(relay = false): Promise<Worker> {
    const worker = this.#crew.take();
    const story = join(this.folder, `${this.#files++}`);
    await worker.ask({ do: 'open', rooms: this.servers.rooms, story, relay });
    this.#telling.push(story);
    return worker;
  }

  async kill(worker: Worker): Promise<void> {
    await worker.kill();
    this.counts.kills++;
  }

  /** Kills a server, and starts it again after a while. */
  async bounce(name: ServerName, downMs: number): Promise<void> {
    await this.servers.kill(name);
    await sleep(downMs);
    await this.servers.restart(name);
    this.counts.serverRestarts++;
  }

  /** Runs a round and judges it. Workers that are alive at its end are the round's own business. */
  async run(name: string, work: (round: number) => Promise<readonly Worker[]>): Promise<void> {
    const round = ++this.counts.rounds;
    const report = (violation: string) => this.violations.push(`round ${round}, ${name}: ${violation}`);
    let failure: unknown;
    try {
      const survivors = await work(round);
      for (const worker of survivors) await this.kill(worker);
    } catch (error) {
      failure = error;
    }
    const told = this.#telling;
    this.#telling = [];
    try {
      await this.#finish();
      for (const file of told) {
        this.stories.push(...readStory(file, round));
        await rm(file);
      }
      if (failure !== undefined) {
        const units = this.stories.filter((story) => story.round === round);
        const ends = units.map(
          ({ unit, outcome, attempts, error = '' }) => `${unit} ${outcome} in ${attempts.length} attempts ${error}`,
        );
        report(`${messageOf(failure)}; its units: ${ends.join('; ')}`);
      }
      await this.#untilQuiet(round);
      await this.#judge(round, report);
    } catch (error) {
      report(`it could not be finished: ${messageOf(error)}`);
    }
  }

  /** A fresh process finishes what is open. */
  async #finish(): Promise<void> {
    const worker = await this.worker();
    await within(worker.ask({ do: 'drain' }), DRAIN_MS, 'the journal did not run dry');
    this.#fresh = worker;
  }

  /** A transaction of a process that died keeps its rows until its server gives it up; nothing can be applied to them before. */
  async #untilQuiet(round: number): Promise<void> {
    for (const until = performance.now() + QUIET_MS; performance.now() < until; await sleep(1_000)) {
      const { rows } = await this.#looker.look(round);
      if ([...rows.values()].every(({ leftovers }) => leftovers.length === 0)) return;
      await this.#finish();
    }
  }

  async #judge(since: number, report: (violation: string) => void): Promise<void> {
    const { violations, committed } = verify(this.stories, await this.#looker.look(since), since, this.#committed);
    for (const violation of violations) report(violation);
    this.#committed = committed;
  }

  /** Looks at everything once more, with what earlier rounds left. */
  async judgeAll(): Promise<void> {
    await this.#judge(0, (violation) => this.violations.push(`at the end: ${violation}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#crew.dismiss();
    await this.#looker.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Waits for a worker's end of its work or of itself, but not for ever. */
export async function untilOver(work: Promise<unknown>, worker: Worker): Promise<'done' | 'gone' | 'late'> {
  const over = new AbortController();
  const result = await Promise.race([
    work.then(() => 'done' as const),
    worker.gone.then(() => 'gone' as const),
    sleep(ROUND_MS, 'late' as const, { signal: over.signal }).catch(() => 'late' as const),
  ]);
  over.abort();
  return result;
}

async function within<R>(work: Promise<R>, ms: number, what: string): Promise<R> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(
    () => Promise.reject(new Error(`${what} within ${ms} ms`)),
    () => new Promise<never>(() => {}),
  );
  const result = await Promise.race([work, late]);
  over.abort();
  return result;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
