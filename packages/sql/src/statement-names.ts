/**
 * Which statements are prepared under a name. A text earns one when it comes a third time; the number of names is
 * bounded, because each of them takes memory in every session of the server. A change of the schema starts a new
 * generation: names of the old one are never used again.
 */
const USES_BEFORE_NAME = 3;
const MAX_NAMES = 256;
const MAX_COUNTED = 2048;

export class StatementNames {
  #names = new Map<string, string>();
  #uses = new Map<string, number>();
  #generation = 0;

  /** `enabled: false` for poolers that refuse named statements (PgBouncer in transaction mode). */
  constructor(private readonly enabled = true) {}

  nameOf(text: string): string | undefined {
    if (!this.enabled) return undefined;
    const name = this.#names.get(text);
    if (name !== undefined || this.#names.size >= MAX_NAMES) return name;
    const uses = (this.#uses.get(text) ?? 0) + 1;
    if (uses < USES_BEFORE_NAME) {
      if (this.#uses.size >= MAX_COUNTED) this.#uses.clear();
      this.#uses.set(text, uses);
      return undefined;
    }
    this.#uses.delete(text);
    const made = `sw${this.#generation}_${this.#names.size}`;
    this.#names.set(text, made);
    return made;
  }

  forget(): void {
    this.#generation++;
    this.#names = new Map();
    this.#uses = new Map();
  }
}
