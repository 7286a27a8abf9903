/**
 * The options of a find, checked and compiled once: a misspelt name, a null comparand or a lock that the store does not
 * have fails here, before any store is asked.
 */
import { CapabilityError, InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { isPlainObject } from '../query/comparand.js';
import { and } from '../query/logic.js';
import { nearest } from '../query/members.js';
import { compileOrder } from '../query/order.js';
import { compileSelection, type Selection } from '../query/selection.js';
import { compileWhere, visible } from '../query/where.js';
import type { CallOptions } from '../session/ports.js';
import type { Condition } from '../store/condition.js';
import type { Order } from '../store/read.js';
import type { Store } from '../store/store.js';
import { cut } from './numbers.js';
import { type PopulateNode, planPopulate } from './populate-plan.js';

export interface QueryPlan {
  readonly entity: EntityModel;
  readonly where: Condition;
  readonly order: readonly Order[];
  readonly limit?: number;
  readonly offset?: number;
  readonly populate: readonly PopulateNode[];
  readonly selection?: Selection;
  readonly lock?: 'update' | 'share';
  readonly call: CallOptions;
}

/** What every find understands; a caller adds the options of its own. */
const OPTIONS = [
  'where',
  'orderBy',
  'limit',
  'offset',
  'populate',
  'related',
  'select',
  'withDeleted',
  'lock',
  'signal',
  'timeoutMs',
  'label',
];

/** Compiles find options. Throws `InvalidQueryError`. */
export function planQuery(entity: EntityModel, options: object = {}, more: readonly string[] = []): QueryPlan {
  if (!isPlainObject(options)) {
    throw new InvalidQueryError(`${entity.name}: find takes an object of options such as { where, orderBy, limit }.`, {
      entity: entity.name,
    });
  }
  checkNames(entity, options, [...OPTIONS, ...more]);
  const withDeleted = deletedOption(entity, options.withDeleted);
  const populate = planPopulate(entity, options.populate, options.related, withDeleted);
  if (options.select !== undefined && populate.length > 0) {
    throw new InvalidQueryError(
      `${entity.name}: select gives plain rows and populate fills entities; ask for one of them. Leave select out to load entities with their relations.`,
      { entity: entity.name },
    );
  }
  const { lock } = options;
  if (lock !== undefined && lock !== 'update' && lock !== 'share') {
    throw new InvalidQueryError(`${entity.name}: lock is 'update' or 'share'.`, { entity: entity.name });
  }
  return {
    entity,
    where: and(compileWhere(entity, options.where), visible(entity, withDeleted)),
    order: compileOrder(entity, options.orderBy),
    ...cut(entity, options.limit, options.offset),
    populate,
    ...(options.select === undefined ? {} : { selection: compileSelection(entity, options.select) }),
    ...(lock === undefined ? {} : { lock }),
    call: callOptions(options),
  };
}

/** The options of a single call, out of any options object. */
export function callOptions(options: object = {}): CallOptions {
  const { signal, timeoutMs, label } = options as CallOptions;
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(label === undefined ? {} : { label }),
  };
}

/** Refuses options that nobody would read. */
export function checkNames(entity: EntityModel, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new InvalidQueryError(
      `${entity.name}: there is no option "${name}" here. ${near === undefined ? `Known are ${known.join(', ')}.` : `Did you mean "${near}"?`}`,
      { entity: entity.name },
    );
  }
}

export function deletedOption(entity: EntityModel, value: unknown): boolean | 'only' | undefined {
  if (value === undefined || value === 'only' || typeof value === 'boolean') {
    if (value === 'only' && entity.softDelete === undefined) {
      throw new InvalidQueryError(
        `${entity.name}: withDeleted: 'only' asks for deleted entities, but ${entity.name} has no @SoftDelete property and keeps none.`,
        { entity: entity.name },
      );
    }
    return value;
  }
  throw new InvalidQueryError(`${entity.name}: withDeleted is true, false or 'only'.`, { entity: entity.name });
}

/** A capability that the call cannot do without. */
export function requireCapability(
  held: boolean,
  store: Store,
  entity: EntityModel,
  what: string,
  instead: string,
): void {
  if (held) return;
  throw new CapabilityError(
    `${what} of ${entity.name} needs something that store "${entity.store}" (${store.domain.name}) does not offer. ${instead}`,
    { entity: entity.name, store: entity.store },
  );
}
