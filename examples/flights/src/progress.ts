/** How the loading is seen while it runs: a bar on standard error, lines where that is no terminal, or nothing. */
import progress, { type SingleBar, type ValueType } from 'cli-progress';

export interface Progress {
  /** A part begins, with `done` of `total` records loaded by an earlier run. */
  start(part: string, done: number, total: number): void;
  advance(records: number): void;
  end(): void;
}

export const silent: Progress = { start() {}, advance() {}, end() {} };

export function progressOn(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? new Bar(stream) : new Lines(stream);
}

/** Records of this run, and how many in a second. */
class Pace {
  #records = 0;
  readonly #started = performance.now();

  add(records: number): void {
    this.#records += records;
  }

  get perSecond(): number {
    return Math.round(this.#records / Math.max((performance.now() - this.#started) / 1000, 0.001));
  }
}

class Bar implements Progress {
  readonly #bar: SingleBar;
  #pace = new Pace();

  constructor(stream: NodeJS.WriteStream) {
    const formatValue = (value: number, options: object, type: ValueType) =>
      type === 'value' || type === 'total'
        ? value.toLocaleString('en-US')
        : progress.Format.ValueFormat(value, options, type);
    this.#bar = new progress.SingleBar(
      { stream, hideCursor: true, fps: 8, formatValue, format: '{part} {bar} {value} of {total}, {pace} rows/s' },
      progress.Presets.shades_classic,
    );
  }

  start(part: string, done: number, total: number): void {
    this.#pace = new Pace();
    this.#bar.start(total, done, { part: part.padEnd(8), pace: 0 });
  }

  advance(records: number): void {
    this.#pace.add(records);
    this.#bar.increment(records, { pace: this.#pace.perSecond.toLocaleString('en-US') });
  }

  end(): void {
    this.#bar.stop();
  }
}

/** A line after the first chunk of each part, then at most one in a second, and one at its end. */
class Lines implements Progress {
  #pace = new Pace();
  #last = 0;
  #part = '';
  #done = 0;
  #total = 0;

  constructor(private readonly stream: NodeJS.WritableStream) {}

  start(part: string, done: number, total: number): void {
    this.#pace = new Pace();
    this.#last = Number.NEGATIVE_INFINITY;
    [this.#part, this.#done, this.#total] = [part, done, total];
  }

  advance(records: number): void {
    this.#pace.add(records);
    this.#done += records;
    if (performance.now() - this.#last < 1000) return;
    this.#last = performance.now();
    this.#print();
  }

  end(): void {
    this.#print();
  }

  #print(): void {
    this.stream.write(`${this.#part}: ${this.#done} of ${this.#total}, ${this.#pace.perSecond} rows/s\n`);
  }
}
