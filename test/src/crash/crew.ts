/**
 * The worker processes: started ahead of their turn, since loading takes longer than most rounds; asked one thing at a
 * time; killed. A worker that dies fails the question it was asked.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Answer, Command } from './commands.js';
import type { Strike } from './failpoints.js';
import type { Snapshot } from './story.js';

const AHEAD = 2;
/** Characters of what a process that ends by itself has said at last. */
const LAST_WORDS = 4_000;

export class Worker {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #asked = 0;
  /** Resolves once it is gone, with what ended it. */
  readonly gone: Promise<string>;
  /** Strikes that it has come to. */
  readonly reached: Strike[] = [];
  readonly #onReached: ((strike: Strike) => void)[] = [];
  readonly #ready: Promise<Answer | undefined>;
  #last = '';

  constructor(file: string) {
    this.#process = fork(file, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#last = `${this.#last}${text}`.slice(-LAST_WORDS);
    });
    this.#ready = new Promise((resolve) => this.#waiting.set(0, resolve));
    this.#process.on('message', (answer: Answer) => this.#hear(answer));
    this.gone = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        for (const answer of this.#waiting.values()) answer(undefined);
        resolve(signal ?? `exit ${code}: ${this.#last}`);
      });
    });
  }

  /** Resolves with its answer, or undefined where it died before it. Throws what it failed with. */
  async ask(command: Command): Promise<{ snapshot?: Snapshot } | undefined> {
    await this.#ready;
    const id = ++this.#asked;
    const answered = new Promise<Answer | undefined>((resolve) => this.#waiting.set(id, resolve));
    if (!this.#process.connected) return undefined;
    this.#process.send({ id, command }, () => {});
    const answer = await answered;
    if (answer !== undefined && 'error' in answer) throw new Error(`${command.do}: ${answer.error}`);
    return answer !== undefined && 'answers' in answer ? answer : undefined;
  }

  /** Resolves when it comes to a strike. */
  strike(): Promise<Strike> {
    return new Promise((resolve) => this.#onReached.push(resolve));
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.gone;
  }

  #hear(answer: Answer): void {
    if ('reached' in answer) {
      this.reached.push(answer.reached);
      for (const tell of this.#onReached.splice(0)) tell(answer.reached);
      return;
    }
    this.#waiting.get(answer.answers)?.(answer);
    this.#waiting.delete(answer.answers);
  }
}

/** Keeps workers ahead: a round takes up to two, and one that finishes it. */
export class Crew {
  readonly #ahead: Worker[] = [];
  readonly #all = new Set<Worker>();

  constructor(private readonly file: string) {}

  take(): Worker {
    const worker = this.#ahead.shift() ?? this.#hire();
    while (this.#ahead.length < AHEAD) this.#ahead.push(this.#hire());
    return worker;
  }

  async dismiss(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.kill()));
  }

  #hire(): Worker {
    const worker = new Worker(this.file);
    this.#all.add(worker);
    worker.gone.then(() => this.#all.delete(worker)).catch(() => {});
    return worker;
  }
}
