/**
 * Partitions of measurements, made when the first point of their time arrives, inside the transaction that writes it.
 * What is known to be committed is remembered; what the running transaction made is not, since it may be rolled back.
 * There is no default partition: its rows would keep later partitions of their time from being attached.
 */
import type { EntityModel, Transaction } from '@storeweave/core';
import { quoteName, quoteTable, type SqlSession } from '@storeweave/sql';
import { quoteText } from '../schema/design.js';
import { derivedName } from '../schema/entity-design.js';
import { covers, instantText, missingRanges, type PartitionUnit, parseRange, type TimeRange } from './ranges.js';

interface Named {
  readonly name: string;
  readonly range: TimeRange;
}

export class Partitions {
  readonly #committed = new Map<EntityModel, readonly TimeRange[]>();
  /** Partitions that a transaction made and that nobody may rely on before it commits. */
  readonly #made = new WeakMap<Transaction, Set<string>>();

  constructor(
    private readonly unit: PartitionUnit,
    private readonly schemaOf: (entity: EntityModel) => string | undefined,
  ) {}

  /** Sees to it that there is a partition for each of these instants (microseconds since the epoch). */
  async ensure(
    entity: EntityModel,
    instants: Iterable<bigint>,
    session: SqlSession,
    transaction?: Transaction,
  ): Promise<void> {
    const unknown = uncovered(instants, this.#committed.get(entity) ?? []);
    if (unknown.length === 0) return;
    const made = (transaction && this.#made.get(transaction)) ?? new Set<string>();
    const there = await this.#read(entity, session);
    this.#committed.set(
      entity,
      there.flatMap(({ name, range }) => (made.has(name) ? [] : [range])),
    );
    const missing = missingRanges(
      unknown,
      there.map(({ range }) => range),
      this.unit,
    );
    if (missing.length === 0) return;
    const steps = missing.map(({ from, to }) => {
      const name = derivedName(
        entity.source,
        `p${instantText(from)
          .replace(/\D?00:00:00.000Z/, '')
          .replace(/\D/g, '')}`,
      );
      made.add(name);
      return this.#create(entity, name, instantText(from), instantText(to));
    });
    if (transaction !== undefined) this.#made.set(transaction, made);
    const lock = `perform pg_advisory_xact_lock(hashtextextended(${quoteText(`storeweave partitions of ${this.#table(entity)}`)}, 0));`;
    await session.query({ text: `do $storeweave$ begin ${lock} ${steps.join(' ')} end $storeweave$`, values: [] });
    // Outside a transaction they are committed by now, and the next call finds them.
  }

  /** Forgets what is known, after a partition turned out to be gone. */
  forget(entity: EntityModel): void {
    this.#committed.delete(entity);
  }

  async #read(entity: EntityModel, session: SqlSession): Promise<Named[]> {
    const { rows } = await session.query({
      text: 'select c.relname, pg_get_expr(c.relpartbound, c.oid) from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass($1)',
      values: [this.#table(entity)],
    });
    return rows.flatMap(([name, bound]) => {
      const range = bound == null ? undefined : parseRange(bound);
      return name == null || range === undefined ? [] : [{ name, range }];
    });
  }

  /** Attaching lets readers and writers of other partitions go on, where `create table … partition of` locks them out. */
  #create(entity: EntityModel, name: string, from: string, to: string): string {
    const table = this.#table(entity);
    const partition = quoteTable(name, this.schemaOf(entity));
    return `if to_regclass(${quoteText(partition)}) is null then create table ${partition} (like ${table} including defaults including constraints); alter table ${table} attach partition ${partition} for values from (${quoteText(from)}) to (${quoteText(to)}); end if;`;
  }

  #table(entity: EntityModel): string {
    const schema = this.schemaOf(entity);
    return schema === undefined ? quoteName(entity.source) : quoteTable(entity.source, schema);
  }
}

/** One instant of each stretch of time that no range covers; few, however many points there are. */
function uncovered(instants: Iterable<bigint>, ranges: readonly TimeRange[]): bigint[] {
  const found = new Set<bigint>();
  let last: TimeRange | undefined;
  for (const instant of instants) {
    if (last !== undefined && covers(last, instant)) continue;
    const range = ranges.find((each) => covers(each, instant));
    if (range !== undefined) last = range;
    else found.add(instant);
  }
  return [...found];
}
