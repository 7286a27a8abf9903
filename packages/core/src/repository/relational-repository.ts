/** What only relational entities have: joins with grouping inside the store, and SQL. */
import { CapabilityError, ConfigurationError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { ContextSource } from '../session/ports.js';
import { runGrouping } from './grouping.js';
import type { Grouped, GroupOptions, GroupSelect } from './grouping-options.js';
import { SqlStatement } from './sql.js';

/** Relational entities of one class. */
export class RelationalRepository<T extends object> {
  readonly #entity: EntityModel;
  readonly #source: ContextSource;

  /** Throws `ConfigurationError` for a class that is not relational. */
  constructor(entity: EntityModel, source: ContextSource) {
    if (entity.model !== 'relational') {
      throw new ConfigurationError(
        `${entity.name} is ${entity.kind} and not relational. Use weave.repository(${entity.name}), or declare it with @Relational.`,
        { entity: entity.name },
      );
    }
    this.#entity = entity;
    this.#source = source;
  }

  /**
   * Joins and groups inside the store.
   *
   * ```ts
   * await weave.relational(Order).query({
   *   select: { country: 'customer.country', orders: count(), total: sum('amount') },
   *   having: { orders: { gte: 10 } }, orderBy: { total: 'desc' }, limit: 5,
   * });
   * ```
   */
  async query<const S extends GroupSelect<T>>(options: GroupOptions<T, S>): Promise<Grouped<T, S>[]> {
    return (await runGrouping(this.#source.current(), this.#entity, options)) as Grouped<T, S>[];
  }

  /**
   * Runs SQL in the entity's store, inside the running transaction. Values are always bound; names come from `table`,
   * `column` and `identifier`. Rows are as the driver gives them, by column name.
   *
   * ```ts
   * const rows = await weave.relational(User).sql<{ n: number }>`select count(*) as n from ${table(User)} where age > ${18}`;
   * ```
   */
  async sql<R extends object = Record<string, unknown>>(
    strings: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Promise<R[]> {
    const entity = this.#entity;
    const work = this.#source.current();
    const { relational, domain } = work.store(entity);
    if (relational === undefined) {
      throw new CapabilityError(
        `SQL on ${entity.name} needs a relational store, and store "${entity.store}" (${domain.name}) knows none.`,
        { entity: entity.name, store: entity.store },
      );
    }
    const isHere = (model: EntityModel) => work.areTogether(entity, model);
    const statement = new SqlStatement(entity, work.domain, relational, isHere).append(strings, values);
    // What a statement reads is not known, so every pending change of the store is written first.
    const reads = work.domain.entities.filter((one) => one.store === entity.store);
    const access = await work.access(entity, reads, { writes: changes(statement.text) });
    return (await relational.sql(statement.text, statement.values, access)) as R[];
  }
}

/** Whether a statement may write, by its words: to err on this side costs nothing but a check. */
function changes(text: string): boolean {
  const words = text.replace(/\bfor\s+(no\s+key\s+)?update\b/gi, '');
  return /\b(insert|update|delete|merge|truncate|create|alter|drop|copy|call|do|grant|revoke)\b/i.test(words);
}
