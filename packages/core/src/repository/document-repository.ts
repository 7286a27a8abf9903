/** What only documents have: changes inside of them without reading them, and grouping. */
import { CapabilityError, ConfigurationError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { isPlainObject, present } from '../query/comparand.js';
import { keyRow } from '../query/identity.js';
import { and } from '../query/logic.js';
import { compileWhere, visible } from '../query/where.js';
import type { CallOptions, ContextSource } from '../session/ports.js';
import type { IdOf, PropertyPath, ValueName } from '../types/properties.js';
import type { Where } from '../types/where.js';
import type { ValueAt } from './aggregation.js';
import { runGrouping } from './grouping.js';
import type { Grouped, GroupOptions, GroupSelect } from './grouping-options.js';
import { compilePatch } from './patch.js';
import { callOptions, checkNames } from './query-plan.js';
import { patchAll, policyOf } from './recorded-writes.js';

/** Paths in a document: properties, and anything inside json whose type is not known. */
export type PatchPath<T> =
  | PropertyPath<T>
  | { [K in ValueName<T>]: unknown extends T[K] ? `${K}.${string}` : never }[ValueName<T>];

type ElementAt<T, P extends string> =
  NonNullable<ValueAt<T, P>> extends readonly (infer E)[] ? E | readonly E[] : unknown;

/** Changes inside a document, by path. All of them happen in one step. */
export interface Patch<T> {
  readonly set?: { readonly [P in PatchPath<T>]?: P extends PropertyPath<T> ? ValueAt<T, P> : unknown };
  /** Adds to numbers; an absent one counts as 0. */
  readonly inc?: { readonly [P in PatchPath<T>]?: number | bigint | string };
  /** Appends to arrays, one element or several; an absent array counts as empty. */
  readonly push?: { readonly [P in PatchPath<T>]?: ElementAt<T, P> };
  /** Takes every equal element out of arrays. */
  readonly pull?: { readonly [P in PatchPath<T>]?: ElementAt<T, P> };
  readonly unset?: readonly PatchPath<T>[];
}

/** Documents of one class. */
export class DocumentRepository<T extends object> {
  readonly #entity: EntityModel;
  readonly #source: ContextSource;

  /** Throws `ConfigurationError` for a class that is no document. */
  constructor(entity: EntityModel, source: ContextSource) {
    if (entity.model !== 'document') {
      throw new ConfigurationError(
        `${entity.name} is ${entity.kind} and no document. Use weave.repository(${entity.name}), or declare it with @Document.`,
        { entity: entity.name },
      );
    }
    this.#entity = entity;
    this.#source = source;
  }

  /**
   * Changes documents without reading them: the one with an id, or all that match a filter. Returns their number. Version
   * and time of change move along; documents that are loaded already keep the values they have.
   *
   * ```ts
   * await weave.documents(Profile).patch(id, { inc: { visits: 1 }, push: { tags: 'new' }, set: { 'data.theme': 'dark' } });
   * ```
   *
   * Throws `InvalidQueryError` for places that do not exist or are changed twice, `CapabilityError` where the store
   * patches nothing.
   */
  async patch(target: IdOf<T> | Where<T>, patch: Patch<T>, options: CallOptions = {}): Promise<number> {
    const entity = this.#entity;
    checkNames(entity, options, ['signal', 'timeoutMs', 'label']);
    const place = { entity, path: [] };
    const given: unknown = present(place, target, 'the id or filter');
    const operations = compilePatch(entity, patch);
    const work = this.#source.current();
    const { documents, domain } = work.store(entity);
    if (documents === undefined) {
      throw new CapabilityError(
        `Patching ${entity.name} needs a document store, and store "${entity.store}" (${domain.name}) patches none. Find the documents and change them in a unit of work.`,
        { entity: entity.name, store: entity.store },
      );
    }
    const call = callOptions(options);
    const isOnRecord = policyOf(work, entity) !== undefined;
    if (!isPlainObject(given) && entity.softDelete === undefined && !isOnRecord) {
      const keys = [keyRow(place, entity, given)];
      const access = await work.access(entity, [entity], { ...call, writes: true });
      return documents.patch({ entity, target: { keys }, operations }, access);
    }
    const filter = isPlainObject(given) ? given : Object.fromEntries(entity.ids.map((field) => [field.name, given]));
    return patchAll(work, entity, and(compileWhere(entity, filter), visible(entity)), operations, call);
  }

  /** Groups documents. Throws `CapabilityError` where the store does not. */
  async aggregate<const S extends GroupSelect<T>>(options: GroupOptions<T, S>): Promise<Grouped<T, S>[]> {
    return (await runGrouping(this.#source.current(), this.#entity, options)) as Grouped<T, S>[];
  }
}
