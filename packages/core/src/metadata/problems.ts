/** Collects every mistake of the metadata, so that all are reported together. */
import { MetadataError, type MetadataProblem } from '../errors/errors.js';

export class Problems {
  readonly #list: MetadataProblem[] = [];

  /** The same mistake is noted once, though an embedded or base class that has it may be used many times. */
  add(entity: string, property: string | undefined, message: string): void {
    if (this.#list.some((p) => p.entity === entity && p.property === property && p.message === message)) return;
    this.#list.push(property === undefined ? { entity, message } : { entity, property, message });
  }

  get any(): boolean {
    return this.#list.length > 0;
  }

  /** Throws them by entity, in the order in which the entities were given. */
  throwIfAny(entities: readonly string[]): void {
    if (this.#list.length === 0) return;
    const sorted = this.#list.toSorted((a, b) => entities.indexOf(a.entity) - entities.indexOf(b.entity));
    throw new MetadataError(Object.freeze(sorted.map((problem) => Object.freeze(problem))));
  }
}
