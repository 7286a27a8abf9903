/** Collects every mistake of the metadata, so that all are reported together. */
import { MetadataError, type MetadataProblem } from '../errors/errors.js';

export class Problems {
  readonly #list: MetadataProblem[] = [];

  add(entity: string, property: string | undefined, message: string): void {
    this.#list.push(property === undefined ? { entity, message } : { entity, property, message });
  }

  get any(): boolean {
    return this.#list.length > 0;
  }

  throwIfAny(): void {
    if (this.#list.length > 0)
      throw new MetadataError(Object.freeze(this.#list.map((problem) => Object.freeze(problem))));
  }
}
