/**
 * The door to the entities of one class. A repository lives as long as the application and holds no state: each call asks
 * for the running unit of work, joins it where there is one, and stands alone where there is none.
 */
import { InvalidQueryError, InvalidStateError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { describe } from '../query/comparand.js';
import { keyRow } from '../query/identity.js';
import { keyText } from '../query/key.js';
import { and } from '../query/logic.js';
import { compileWhere, visible } from '../query/where.js';
import type { CallOptions, ContextSource, UnitPort, WorkContext } from '../session/ports.js';
import type { FindOptions, Found, Loaded, PopulatePath, SelectPath } from '../types/find.js';
import type { CreateInput, UpdateInput } from '../types/input.js';
import type { IdOf, PropertyPath, ValueName } from '../types/properties.js';
import type { Where } from '../types/where.js';
import { compileConflict, compileIncrement, compileSet, refuseTwins } from './changes.js';
import { countAll, findAll, findByKeys, notFound, readPlan } from './find.js';
import { now } from './managed.js';
import { newRows } from './new-rows.js';
import { findPage, type Page } from './page.js';
import { planPopulate } from './populate-plan.js';
import { callOptions, checkNames, deletedOption, planQuery } from './query-plan.js';
import { deleteAll, insertAll, updateAll, upsertAll } from './recorded-writes.js';
import { streamAll } from './stream.js';

/** Options of reads by id. */
export interface ByIdOptions<T, P extends string = never> extends CallOptions {
  readonly populate?: readonly P[];
  readonly related?: FindOptions<T, P>['related'];
  readonly withDeleted?: boolean | 'only';
  /** As for finds: `settled` sees only whole units of work. */
  readonly consistency?: 'settled';
}

/** Options of `stream`. */
export interface StreamOptions<T, P extends string = never, S extends string = never>
  extends Omit<FindOptions<T, P, S>, 'lock' | 'consistency'> {
  /** Entities that are in memory at a time; 1,000 if absent. */
  readonly batchSize?: number;
}

/** Options of `page`: either `first` (with `after`) or `last` (with `before`), of at most 10,000 items. */
export interface PageOptions<T, P extends string = never, S extends string = never>
  extends Omit<FindOptions<T, P, S>, 'limit' | 'offset' | 'lock' | 'consistency'> {
  readonly first?: number;
  /** `endCursor` of the page before. */
  readonly after?: string | null;
  readonly last?: number;
  /** `startCursor` of the page after. */
  readonly before?: string | null;
  /** Counts the rows of all pages, too: one more query. */
  readonly totalCount?: boolean;
}

/** Options of an upsert. */
export interface UpsertOptions<T> extends CallOptions {
  /** Properties that decide whether an entity exists; they need a unique index. The ids if absent. */
  readonly on?: readonly PropertyPath<T>[];
  /** Properties that an existing entity takes over from the new one; everything given if absent, nothing if empty. */
  readonly update?: readonly PropertyPath<T>[];
}

/** Options of writes by filter. */
export interface BulkOptions extends CallOptions {
  /** Whether softly deleted entities are changed, too. */
  readonly withDeleted?: boolean | 'only';
}

/** Names of the numbers of an entity. */
export type NumericName<T> = {
  [K in ValueName<T>]: NonNullable<T[K]> extends number | bigint | string ? K : never;
}[ValueName<T>];

const BULK = ['withDeleted', 'signal', 'timeoutMs', 'label'];

/**
 * Entities of one class.
 *
 * ```ts
 * const users = weave.repository(User);
 * const page = await users.find({ where: { username: { like: 'a%' } }, populate: ['profile'], limit: 20 });
 * ```
 */
export class Repository<T extends object> {
  readonly #entity: EntityModel;
  readonly #source: ContextSource;

  constructor(entity: EntityModel, source: ContextSource) {
    this.#entity = entity;
    this.#source = source;
  }

  /**
   * Entities that match, with `populate` filled; plain rows with `select`. Without `orderBy` they come in no certain
   * order, except that with `limit` or `offset` the ids decide. Throws `InvalidQueryError` for a filter that is none.
   */
  async find<const P extends PopulatePath<T> = never, const S extends SelectPath<T> = never>(
    options: FindOptions<T, P, S> = {},
  ): Promise<Found<T, P, S>[]> {
    const plan = planQuery(this.#entity, options, ['consistency']);
    const found = await this.#reading(options, (work) => findAll(work, plan));
    return found as Found<T, P, S>[];
  }

  /** The first entity that matches, or `null`. */
  async findOne<const P extends PopulatePath<T> = never, const S extends SelectPath<T> = never>(
    options: Omit<FindOptions<T, P, S>, 'limit'> = {},
  ): Promise<Found<T, P, S> | null> {
    const plan = { ...planQuery(this.#entity, options, ['consistency']), limit: 1 };
    const [first] = await this.#reading(options, (work) => findAll(work, plan));
    return (first as Found<T, P, S> | undefined) ?? null;
  }

  /** The first entity that matches. Throws `EntityNotFoundError` where none does. */
  async findOneOrFail<const P extends PopulatePath<T> = never, const S extends SelectPath<T> = never>(
    options: Omit<FindOptions<T, P, S>, 'limit'> = {},
  ): Promise<Found<T, P, S>> {
    const found = await this.findOne(options);
    if (found === null) throw notFound(this.#entity, `matches the filter ${printed(options.where)}`);
    return found;
  }

  /** The entity with this id, or `null`. One that the unit of work knows costs no query. */
  async findById<const P extends PopulatePath<T> = never>(
    id: IdOf<T>,
    options: ByIdOptions<T, P> = {},
  ): Promise<Loaded<T, P> | null> {
    const [found] = await this.findByIds([id], options);
    return found ?? null;
  }

  /**
   * Entities by their ids, in the order of the ids, in one query. Ids that lead to nothing are absent from the answer,
   * so it may be shorter than the list; an id that is given twice gives its entity twice.
   */
  async findByIds<const P extends PopulatePath<T> = never>(
    ids: readonly IdOf<T>[],
    options: ByIdOptions<T, P> = {},
  ): Promise<Loaded<T, P>[]> {
    const entity = this.#entity;
    checkNames(entity, options, ['populate', 'related', 'consistency', ...BULK]);
    const withDeleted = deletedOption(entity, options.withDeleted);
    const keys = ids.map((id) => keyRow({ entity, path: [] }, entity, id));
    const nodes = planPopulate(entity, options.populate, options.related, withDeleted);
    const call = callOptions(options);
    const found = await this.#reading(options, (work) => findByKeys(work, entity, keys, nodes, call, withDeleted));
    return found as Loaded<T, P>[];
  }

  /** Number of entities that match. */
  async count(where?: Where<T>, options: BulkOptions = {}): Promise<number> {
    return countAll(this.#source.current(), this.#filter(where, options));
  }

  /** Whether any entity matches. */
  async exists(where?: Where<T>, options: BulkOptions = {}): Promise<boolean> {
    const filter = this.#filter(where, options);
    const plan = { ...filter, order: [], populate: [], limit: 1 };
    return (await readPlan(this.#source.current(), plan, this.#entity.ids)).length > 0;
  }

  /**
   * Entities one by one, in memory that does not grow with their number. They are not tracked: changing one changes
   * nothing. Leaving the loop ends the query. In a unit of work all of them are seen as of one cursor; outside of one,
   * without `orderBy`, chunk by chunk in the order of the ids. Options are checked at the first entity.
   */
  stream<const P extends PopulatePath<T> = never, const S extends SelectPath<T> = never>(
    options: StreamOptions<T, P, S> = {},
  ): AsyncGenerator<Found<T, P, S>, void, undefined> {
    const all = streamAll(this.#source.current(), this.#entity, options);
    return all as AsyncGenerator<Found<T, P, S>, void, undefined>;
  }

  /**
   * One page of a list, by cursor: neither skips nor repeats entities when others come or go in between. Throws
   * `InvalidQueryError` for a cursor of another list.
   */
  async page<const P extends PopulatePath<T> = never, const S extends SelectPath<T> = never>(
    options: PageOptions<T, P, S>,
  ): Promise<Page<Found<T, P, S>>> {
    const page = await findPage(this.#source.current(), this.#entity, options);
    return page as Page<Found<T, P, S>>;
  }

  /**
   * Writes new entities at once, in one batch, and gives them back with ids and defaults. No hooks run and nothing
   * cascades; for a graph of entities use `create` in a unit of work.
   */
  async insert<D extends CreateInput<T> | readonly CreateInput<T>[]>(
    data: D,
    options: CallOptions = {},
  ): Promise<D extends readonly unknown[] ? T[] : T> {
    const work = this.#source.current();
    const many = Array.isArray(data);
    const rows = await insertAll(work, this.#entity, many ? data : [data], callOptions(options));
    const items = work.materialize(this.#entity, rows);
    return (many ? items : items[0]) as D extends readonly unknown[] ? T[] : T;
  }

  /**
   * Inserts entities or, where one with the same key exists, overwrites it, in one step that two processes may take at
   * the same time. Returns the number of rows written. Throws `CapabilityError` where the store cannot.
   */
  async upsert(data: CreateInput<T> | readonly CreateInput<T>[], options: UpsertOptions<T> = {}): Promise<number> {
    const entity = this.#entity;
    checkNames(entity, options, ['on', 'update', 'signal', 'timeoutMs', 'label']);
    const list: readonly object[] = Array.isArray(data) ? data : [data];
    const rows = newRows(entity, list);
    const conflict = compileConflict(entity, list, options);
    refuseTwins(entity, conflict.keys ?? entity.ids, rows, keyText);
    return upsertAll(this.#source.current(), entity, rows, conflict, callOptions(options));
  }

  /**
   * Sets properties of all entities that match, in one statement; versions and times of change move along. Returns their
   * number. Entities that are loaded already keep the values they have.
   */
  async update(where: Where<T>, set: UpdateInput<T>, options: BulkOptions = {}): Promise<number> {
    const change = compileSet(this.#entity, set);
    const filter = this.#required(where, options, 'update');
    return updateAll(this.#source.current(), this.#entity, filter.where, change, filter.call);
  }

  /** Adds to numbers of all entities that match, in one statement: `increment({ id }, { views: 1 })`. An absent number counts as 0. */
  async increment(
    where: Where<T>,
    by: { readonly [K in NumericName<T>]?: NonNullable<T[K]> },
    options: BulkOptions = {},
  ): Promise<number> {
    const change = compileIncrement(this.#entity, by);
    const filter = this.#required(where, options, 'increment');
    return updateAll(this.#source.current(), this.#entity, filter.where, change, filter.call);
  }

  /**
   * Deletes all entities that match, in one statement; where the class has `@SoftDelete` they are marked deleted, unless
   * `hard: true`. Returns their number. Nothing cascades but what the store itself does.
   */
  async delete(where: Where<T>, options: BulkOptions & { readonly hard?: boolean } = {}): Promise<number> {
    const { hard = false, ...bulk } = options;
    const { softDelete } = this.#entity;
    // A hard deletion by filter means every row that matches, marked or not.
    const filter = this.#required(where, hard ? { withDeleted: true, ...bulk } : bulk, 'delete');
    const work = this.#source.current();
    if (softDelete === undefined || hard) return deleteAll(work, this.#entity, filter.where, filter.call);
    const change = { set: [{ field: softDelete, value: now(softDelete) }], increment: [] };
    return updateAll(work, this.#entity, filter.where, change, filter.call);
  }

  /** A new entity of the running unit of work, written by its next flush. Throws `InvalidStateError` outside of one. */
  create(data: CreateInput<T>): T {
    return this.#unit('create').create(this.#entity, data) as T;
  }

  /** Adds entities to the running unit of work. Throws `InvalidStateError` outside of one. */
  add(entities: T | readonly T[]): void {
    this.#unit('add').add(Array.isArray(entities) ? entities : [entities]);
  }

  /** Removes entities in the running unit of work. Throws `InvalidStateError` outside of one. */
  remove(entities: T | readonly T[]): void {
    this.#unit('remove').remove(Array.isArray(entities) ? entities : [entities]);
  }

  #unit(what: string): UnitPort {
    const { unit } = this.#source.current();
    if (unit !== undefined) return unit;
    throw new InvalidStateError(
      `${what}() of ${this.#entity.name} needs a running unit of work. Call it inside weave.transaction(), or use insert, update and delete, which write at once.`,
      { entity: this.#entity.name, store: this.#entity.store },
    );
  }

  #reading<R>(
    options: CallOptions & { readonly consistency?: 'settled' },
    read: (work: WorkContext) => Promise<R>,
  ): Promise<R> {
    const { consistency } = options;
    const { settled } = this.#source;
    if (consistency === undefined || settled === undefined) return read(this.#source.current());
    if (consistency !== 'settled') {
      throw new InvalidQueryError(
        `${this.#entity.name}: consistency is 'settled' or left out, and was ${describe(consistency)}.`,
        { entity: this.#entity.name },
      );
    }
    return settled(read, callOptions(options));
  }

  #filter(where: unknown, options: BulkOptions) {
    const entity = this.#entity;
    checkNames(entity, options, BULK);
    const condition = and(compileWhere(entity, where), visible(entity, deletedOption(entity, options.withDeleted)));
    return { entity, where: condition, call: callOptions(options) };
  }

  /** The filter of a write: a forgotten one must not mean all. */
  #required(where: unknown, options: BulkOptions, what: string) {
    if (where !== undefined) return this.#filter(where, options);
    throw notAll(this.#entity, what);
  }
}

function notAll(entity: EntityModel, what: string): InvalidQueryError {
  return new InvalidQueryError(
    `${what}() of ${entity.name} was given no filter. Write {} to mean every ${entity.name}.`,
    {
      entity: entity.name,
    },
  );
}

function printed(where: unknown): string {
  if (where === undefined) return '{}';
  try {
    const text = JSON.stringify(where, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    return text.length > 200 ? `${text.slice(0, 200)}…` : text;
  } catch {
    return describe(where);
  }
}
