/**
 * Text of a function under construction, with the values that it closes over. Hydrators are compiled once per class, so
 * that the way from a row to an instance has neither loops over metadata nor lookups by name. Names of the application
 * get into the text as JSON strings only.
 */

export class FunctionSource {
  readonly #lines: string[] = [];
  readonly #names: string[] = [];
  readonly #values: unknown[] = [];
  #locals = 0;

  line(text: string): void {
    this.#lines.push(text);
  }

  /** A name for a value from outside. */
  constant(value: unknown): string {
    const known = this.#values.indexOf(value);
    if (known >= 0) return this.#names[known] ?? '';
    const name = `$${this.#values.length}`;
    this.#names.push(name);
    this.#values.push(value);
    return name;
  }

  /** A fresh local name. */
  local(): string {
    return `v${this.#locals++}`;
  }

  compile<F>(parameters: readonly string[]): F {
    const text = `'use strict';\nreturn function (${parameters.join(', ')}) {\n${this.#lines.join('\n')}\n};`;
    return new Function(...this.#names, text)(...this.#values) as F;
  }
}

/** `object.name`, whatever the name is. */
export function member(object: string, name: string): string {
  return `${object}[${JSON.stringify(name)}]`;
}
