/** Units of work under way, so that closing can wait for them and refuse what comes later. */
import { InvalidStateError } from '../errors/errors.js';

export class Running {
  readonly #work = new Set<Promise<unknown>>();
  #ended = false;

  /** Throws `InvalidStateError` after `end()`. */
  check(): void {
    if (this.#ended) throw new InvalidStateError('This Storeweave is closed. Open another one with Storeweave.open().');
  }

  track<R>(what: string, run: () => Promise<R>): Promise<R> {
    if (this.#ended) {
      return Promise.reject(new InvalidStateError(`This Storeweave is closed, so ${what} cannot begin.`));
    }
    const running = run();
    this.#work.add(running);
    const done = () => {
      this.#work.delete(running);
    };
    running.then(done, done);
    return running;
  }

  /** Lets nothing begin any more, and resolves when everything has ended. */
  async end(): Promise<void> {
    this.#ended = true;
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
