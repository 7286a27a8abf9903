/** One round: workers do units of work and are struck; then everything is started again, finished, and looked at. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from './bundle.js';
import { CaseFile } from './case-file.js';
import { Looker } from './check/look.js';
import type { Observation } from './check/observation.js';
import { verifySnapshots } from './check/snapshots.js';
import { verify } from './check/verify.js';
import { Crew, type Worker } from './crew.js';
import type { ServerName, Servers } from './servers.js';
import { readStory, type Snapshot, type StoryLine, type UnitStory, unitsOf } from './story.js';

export interface Counts {
  rounds: number;
  kills: number;
  serverRestarts: number;
  /** Of these because a plain client could not write any more either. */
  stuckServers: number;
  /** Settled reads that were judged: of what was under way, or left behind. */
  settledReads: number;
}

/** No round takes longer, whatever hangs: then its worker is killed, which is one more way to die. */
const ROUND_MS = 40_000;
const DRAIN_MS = 90_000;
/** How long what is left is tried to be finished. */
const QUIET_MS = 150_000;
const QUIET_PAUSE_MS = 300;
/** Longer than a server keeps what a dead client held; from then on it is asked whether it hangs. */
const STUCK_MS = 45_000;
/** How long a plain write is waited for before its document is said to be held. */
const PATIENCE_MS = 10_000;

interface Opened {
  readonly worker: Worker;
  readonly story: string;
}

export interface RoundOptions {
  /** Whoever finishes what is left looks at it before, by a settled read. */
  readonly readsFirst?: boolean;
  /** A server goes down meanwhile: a process that is to open its stores comes afterwards. */
  readonly isDown?: boolean;
}

/** What the rounds of a run share: servers, workers, and all that is known of the units of work. */
export class Ground implements AsyncDisposable {
  readonly counts: Counts = { rounds: 0, kills: 0, serverRestarts: 0, stuckServers: 0, settledReads: 0 };
  /** Seconds of each phase of the rounds. */
  readonly phases: Record<string, number> = {};
  readonly violations: string[] = [];
  readonly stories: UnitStory[] = [];
  readonly #crew: Crew;
  readonly #looker: Looker;
  #committed: ReadonlySet<string> = new Set();
  readonly #known = new Set<string>();
  #files = 0;
  /** Story files of the round under way. */
  #telling: string[] = [];
  /** Of the round under way. */
  #case = new CaseFile('before the first round');
  /** Open, and drained what the round before left. */
  #fresh: Worker | undefined;
  /** Opened during a round, to finish it. */
  #reserve: Promise<Opened | undefined> | undefined;

  private constructor(
    readonly servers: Servers,
    file: string,
    /** Told everything about a round that was violated. */
    private readonly explain: (text: string) => void,
    /** Of the stories, and of the worker's program. */
    private readonly folder: string,
  ) {
    this.#crew = new Crew(file);
    this.#looker = new Looker(servers.rooms);
  }

  static async open(servers: Servers, explain: (text: string) => void): Promise<Ground> {
    const { file, folder } = await bundle(new URL('./worker.ts', import.meta.url));
    const ground = new Ground(servers, file, explain, folder);
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
    return this.#engage(await this.timed('hire', this.#open(relay)));
  }

  #engage({ worker, story }: Opened): Worker {
    this.#telling.push(story);
    return worker;
  }

  async #open(relay: boolean): Promise<Opened> {
    const worker = this.#crew.take();
    const number = ++this.#files;
    const story = join(this.folder, `${number}`);
    await worker.ask({ do: 'open', rooms: this.servers.rooms, story, relay });
    void worker.strike().then((strike) => this.#case.note(`process ${number} is struck: ${JSON.stringify(strike)}`));
    void worker.gone.then((end) => this.#noteEnd(number, end));
    return { worker, story };
  }

  /** Nothing but SIGKILL ends a process of ours: whatever else did is a mistake. */
  #noteEnd(number: number, end: string): void {
    this.#case.note(`process ${number} is gone: ${end.slice(0, 20)}`);
    if (end !== 'SIGKILL') this.violations.push(`round ${this.round}: a process ended by itself: ${end}`);
  }

  async timed<R>(phase: string, work: Promise<R>): Promise<R> {
    const began = performance.now();
    try {
      return await work;
    } finally {
      this.phases[phase] = (this.phases[phase] ?? 0) + (performance.now() - began) / 1_000;
    }
  }

  async kill(worker: Worker): Promise<void> {
    await worker.kill();
    this.counts.kills++;
  }

  /** Kills a server, and starts it again after a while. */
  async bounce(name: ServerName, downMs: number): Promise<void> {
    this.#case.note(`${name} is killed`);
    await this.servers.kill(name);
    await sleep(downMs);
    this.#case.note(`${name} is started again`);
    await this.servers.restart(name);
    this.#case.note(`${name} runs again`);
    this.counts.serverRestarts++;
  }

  /**
   * Runs a round and judges it. Workers that it gives back are killed.
   */
  async run(
    name: string,
    work: (round: number) => Promise<readonly Worker[]>,
    { readsFirst = false, isDown = false }: RoundOptions = {},
  ): Promise<void> {
    const round = ++this.counts.rounds;
    const before = this.violations.length;
    this.#case = new CaseFile(`round ${round}, ${name}`);
    const report = (violation: string) => {
      // What is wrong stays wrong.
      if (this.#known.has(violation)) return;
      this.#known.add(violation);
      this.violations.push(`round ${round}, ${name}: ${violation}`);
    };
    let failure: unknown;
    try {
      const working = work(round);
      if (!isDown) this.#reserve = this.#open(false).catch(() => undefined);
      const survivors = await this.timed('work', working);
      for (const worker of survivors) await this.kill(worker);
    } catch (error) {
      failure = error;
    }
    const told = this.#telling;
    this.#telling = [];
    // Before anything else can go wrong: later rounds are judged by what these have done, too.
    const lines = told.flatMap((file) => this.#hear(file));
    const units = unitsOf(lines, round);
    this.stories.push(...units);
    try {
      const first = await this.timed('finish', this.#finish(readsFirst ? round : undefined));
      const snapshots = first === undefined ? [] : [first];
      for (const line of lines) {
        if (line.say === 'wrong') report(`${line.unit}: ${line.what}`);
        if (line.say === 'saw') snapshots.push(line.snapshot);
      }
      if (failure !== undefined) {
        const ends = units.map(
          ({ unit, outcome, attempts, error = '' }) => `${unit} ${outcome} in ${attempts.length} attempts ${error}`,
        );
        report(`${messageOf(failure)}; its units: ${ends.join('; ')}`);
      }
      this.#judge(await this.timed('look', this.#untilQuiet(round)), round, report);
      for (const violation of verifySnapshots(snapshots, units, this.#committed)) report(violation);
      this.counts.settledReads += snapshots.length;
      for (const file of told) await rm(file);
    } catch (error) {
      report(`it could not be finished: ${messageOf(error)}`);
    }
    if (this.violations.length === before) return;
    // What finished it goes on into the next round, and so does its story.
    for (const file of this.#telling) this.#hear(file);
    this.explain(this.#case.text(this.violations.slice(before)));
  }

  #hear(file: string): StoryLine[] {
    const lines = readStory(file);
    this.#case.hear(Number(basename(file)), lines);
    return lines;
  }

  /** A fresh process finishes what is open; it may be asked to read first. */
  async #finish(reads?: number): Promise<Snapshot | undefined> {
    const reserve = await this.#reserve;
    this.#reserve = undefined;
    const worker = reserve === undefined ? await this.worker() : this.#engage(reserve);
    this.#case.note('what is left is being finished');
    const reading = reads === undefined ? undefined : worker.ask({ do: 'read', round: reads }).catch(() => undefined);
    const snapshot = (await within(Promise.resolve(reading), DRAIN_MS, 'it was not read'))?.snapshot;
    if (snapshot !== undefined) this.#case.note(`it read ${JSON.stringify(snapshot)}`);
    await within(worker.ask({ do: 'drain' }), DRAIN_MS, 'the journal did not run dry');
    this.#fresh = worker;
    return snapshot;
  }

  /** A transaction of a process that died keeps its rows until its server gives it up; nothing can be applied to them before. */
  async #untilQuiet(round: number): Promise<Observation> {
    const began = performance.now();
    for (let isAsked = false; ; await sleep(QUIET_PAUSE_MS)) {
      const seen = await this.#looker.look(round);
      this.#case.see(seen);
      const isQuiet = [...seen.rows.values()].every(({ leftovers }) => leftovers.length === 0);
      const waited = performance.now() - began;
      if (isQuiet || waited > QUIET_MS) return seen;
      if (waited > STUCK_MS && !isAsked) {
        isAsked = true;
        await this.#freeHeld();
      }
      await this.#finish();
    }
  }

  /** What nobody can write, by whatever client, its server has to be restarted for; what can be written stays as it is. */
  async #freeHeld(): Promise<void> {
    const held = await this.#looker.held(PATIENCE_MS);
    if (held.length > 0) {
      this.counts.stuckServers++;
      this.explain(`mongodb lets nobody write ${held.join(', ')} (round ${this.round}), and is restarted`);
      await this.bounce('mongodb', 0);
    }
    await within(this.#looker.freed(), DRAIN_MS, 'the plain writes were not taken back');
  }

  #judge(seen: Observation, since: number, report: (violation: string) => void): void {
    const { violations, committed } = verify(this.stories, seen, since, this.#committed);
    for (const violation of violations) report(violation);
    this.#committed = committed;
  }

  /** Looks at everything once more, with what earlier rounds left. */
  async judgeAll(): Promise<void> {
    this.#judge(await this.#looker.look(0), 0, (violation) => this.violations.push(`at the end: ${violation}`));
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
