/**
 * The functions of a window, folded over its points in their order. They are computed here and not by Flux, whose own
 * differ in the last digits or more: its percentiles pick another rank or interpolate otherwise, its sums add up series
 * by series, its integers overflow.
 */
import { addValues, compareValues, type Field, type SeriesFunction, type Value } from '@storeweave/core';

export interface Fold {
  /** Takes the next present value. */
  add(value: Value): void;
  /** Null where there was none. */
  result(): Value;
}

export function foldOf(fn: SeriesFunction, field: Field): Fold {
  if (typeof fn === 'object') return new Percentile(fn.percentile);
  switch (fn) {
    case 'count':
      return new Reduction((_, so) => (so as number) + 1, 0);
    case 'sum':
      return new Reduction((value, so) => addValues(field, so, value), null);
    case 'mean':
      return new Mean();
    case 'min':
      return new Reduction((value, so) => (so === null || compareValues(field, value, so) < 0 ? value : so), null);
    case 'max':
      return new Reduction((value, so) => (so === null || compareValues(field, value, so) > 0 ? value : so), null);
    case 'first':
      return new Reduction((value, so) => (so === null ? value : so), null);
    case 'last':
      return new Reduction((value) => value, null);
  }
}

class Reduction implements Fold {
  #isEmpty = true;
  #so: Value;
  readonly #step: (value: Value, so: Value) => Value;

  constructor(step: (value: Value, so: Value) => Value, start: Value) {
    this.#step = step;
    this.#so = start;
  }

  add(value: Value): void {
    this.#isEmpty = false;
    this.#so = this.#step(value, this.#so);
  }

  result(): Value {
    return this.#isEmpty ? null : this.#so;
  }
}

class Mean implements Fold {
  #sum = 0;
  #count = 0;

  add(value: Value): void {
    this.#sum += Number(value);
    this.#count++;
  }

  result(): Value {
    return this.#count === 0 ? null : this.#sum / this.#count;
  }
}

/** Continuous: a value between two points is interpolated. */
class Percentile implements Fold {
  readonly #percent: number;
  readonly #values: number[] = [];

  constructor(percent: number) {
    this.#percent = percent;
  }

  add(value: Value): void {
    this.#values.push(Number(value));
  }

  result(): Value {
    const values = this.#values;
    if (values.length === 0) return null;
    values.sort((a, b) => a - b);
    const position = ((values.length - 1) * this.#percent) / 100;
    const below = values[Math.floor(position)] ?? 0;
    const above = values[Math.ceil(position)] ?? below;
    return below + (above - below) * (position - Math.floor(position));
  }
}
