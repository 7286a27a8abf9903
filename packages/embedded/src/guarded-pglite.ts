/**
 * A PGlite that knows when it is dead. After a PANIC (the disk is full while the log grows) or a trap in WebAssembly,
 * PGlite goes on, and the next message makes it spin for ever with the whole thread. Here the first such failure ends
 * the instance: that call and every later one throws an error that says why.
 */
import { closeSync } from 'node:fs';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';

/** How PostgreSQL's error handling leaves the loop; PGlite catches it and goes on. Anything else is the end. */
const ERROR_WAS_HANDLED = 100;

/** Lines of the log that are kept to explain a failure. */
const KEPT_LINES = 20;

/** What a failed instance leaves: what was thrown, and the last lines of its log. */
export interface Failure {
  readonly cause: unknown;
  /** True where it never came up. */
  readonly atStart: boolean;
  /** The lines that say what happened, without time and process: "PANIC:  could not write …". */
  readonly log: readonly string[];
}

interface Internals {
  _PostgresMainLoopOnce(): void;
  _PostgresSendReadyForQueryIfNecessary(): void;
  _pgl_pq_flush(): void;
  stackRestore(pointer: number): number | undefined;
  FS: { streams: ({ readonly nfd?: number } | null | undefined)[] };
}

export class GuardedPGlite extends PGlite {
  readonly #log: string[];
  #failure: Error | undefined;
  #isArmed = false;

  private constructor(
    options: PGliteOptions,
    log: string[],
    private readonly explain: (failure: Failure) => Error,
  ) {
    super(options);
    this.#log = log;
  }

  /** Starts an instance; what `explain` makes of a failure is thrown, now or later. */
  static async start(options: PGliteOptions, explain: (failure: Failure) => Error): Promise<GuardedPGlite> {
    const log: string[] = [];
    const keep = (line: string) => {
      log.push(line);
      if (log.length > KEPT_LINES) log.shift();
      return false;
    };
    const instance = new GuardedPGlite({ ...options, onStderr: keep, onStdout: () => false }, log, explain);
    try {
      await instance.waitReady;
      return instance;
    } catch (cause) {
      throw instance.#fail(cause);
    }
  }

  /** Why the instance is dead; undefined while it lives. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  override execProtocolRawSync(message: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isArmed) this.#arm(this.mod as unknown as Internals);
    const answer = super.execProtocolRawSync(message);
    if (this.#failure !== undefined) throw this.#failure;
    return answer as Uint8Array<ArrayBuffer>;
  }

  override async close(): Promise<void> {
    if (this.#failure === undefined) await super.close();
  }

  #arm(module: Internals): void {
    this.#isArmed = true;
    const { _PostgresMainLoopOnce, _PostgresSendReadyForQueryIfNecessary, _pgl_pq_flush, stackRestore } = module;
    module._PostgresMainLoopOnce = () => {
      try {
        _PostgresMainLoopOnce();
      } catch (error) {
        if ((error as { status?: unknown }).status !== ERROR_WAS_HANDLED) this.#fail(error);
        throw error;
      }
    };
    // PGlite calls this in its handler of errors, which is where the endless loop has to be left.
    module.stackRestore = (pointer) => {
      if (this.#failure !== undefined) throw this.#failure;
      return stackRestore(pointer);
    };
    module._PostgresSendReadyForQueryIfNecessary = () => {
      if (this.#failure === undefined) _PostgresSendReadyForQueryIfNecessary();
    };
    module._pgl_pq_flush = () => {
      if (this.#failure === undefined) _pgl_pq_flush();
    };
  }

  #fail(cause: unknown): Error {
    if (this.#failure !== undefined) return this.#failure;
    const telling = this.#log
      .map((line) => line.replace(/^.*?\[\d+\] /, ''))
      .filter((line) => /^(PANIC|FATAL|DETAIL|HINT):/.test(line));
    this.#failure = this.explain({ cause, log: telling, atStart: !this.#isArmed });
    this.#letGo();
    return this.#failure;
  }

  /** A dead instance cannot close its files itself. */
  #letGo(): void {
    const streams = (this.mod as unknown as Internals | undefined)?.FS?.streams ?? [];
    const descriptors = new Set(streams.map((stream) => stream?.nfd).filter((nfd) => nfd !== undefined));
    for (const descriptor of descriptors) {
      try {
        closeSync(descriptor);
      } catch {
        // closed already
      }
    }
  }
}
