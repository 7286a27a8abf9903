/** Compiled batches, by entity, fields and shape; bounded, because upserts and masks make many shapes. */
const MAX_PLANS = 512;

export class PlanCache<P> {
  readonly #plans = new Map<string, P>();

  get(key: string, compile: () => P): P {
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    if (this.#plans.size >= MAX_PLANS) this.#plans.clear();
    const plan = compile();
    this.#plans.set(key, plan);
    return plan;
  }
}
