/**
 * Moves an entity from one store to another while nobody writes it: copies what is not there yet, in pages by key, then
 * compares the whole, repairs what differs, and says what it cannot repair. Running it again makes up for whatever
 * changed since, so a first run may go on beside the application and a second, short one ends the move.
 */
import { CapabilityError, ConfigurationError } from '../../errors/errors.js';
import { compileDomain } from '../../metadata/compile.js';
import type { EntityClass, EntityModel } from '../../model/entity-model.js';
import type { Row } from '../../model/field.js';
import { decodeCursor, encodeCursor } from '../../query/cursor.js';
import type { Access } from '../../store/access.js';
import type { Store } from '../../store/store.js';
import { adoptEntities } from '../adoption.js';
import { checkCapabilities } from '../capability-check.js';
import { Comparison, type Difference } from './comparison.js';
import { byKeys, countOf, keyOf, keyOrder, pages, textOf } from './pages.js';

export interface MoveOptions {
  /** All entity classes, as `Storeweave.open()` takes them. */
  readonly entities: readonly EntityClass[];
  /** All stores, and under a name of its own the one that the entity comes from. None of them may be open. */
  readonly stores: Readonly<Record<string, Store>>;
  /** Class or name of the entity, which is declared for the store that it moves to. Its links move with it. */
  readonly entity: EntityClass | string;
  /** Logical name of the store that has it. */
  readonly from: string;
  /** Logical name of the store that the entity is declared for; given, it is checked. */
  readonly to?: string;
  /** Rows read and written at a time. Default: 1,000. */
  readonly pageSize?: number;
  /** Where a stopped move goes on: the last `position` that was told. */
  readonly position?: MovePosition;
  /** Deletes rows of the target that the source does not have. Default: false, and they are reported. */
  readonly deleteExtra?: boolean;
  readonly signal?: AbortSignal;
  /** Told after each page. */
  readonly onProgress?: (progress: MoveProgress) => void;
}

/** How far a move is; opaque but for saving it. */
export interface MovePosition {
  readonly entity: string;
  /** Cursor of the last row that was copied. */
  readonly after: string;
  /** Rows up to there. */
  readonly done: number;
}

export interface MoveProgress {
  readonly entity: string;
  /** `catch up`: with what was written during an online move. */
  readonly phase: 'copy' | 'compare' | 'catch up';
  /** Rows of this entity handled in this phase, and how many the source has. */
  readonly done: number;
  readonly total: number;
  /** While copying: where to go on after a stop. */
  readonly position?: MovePosition;
}

/** What was found about one entity (the one asked for, or a link of it). */
export interface MovedEntity {
  readonly entity: string;
  /** Rows in the source, and in the target afterwards. */
  readonly source: number;
  readonly target: number;
  /** Rows that were copied by this run, and rows that differed and were written again. */
  readonly copied: number;
  readonly repaired: number;
  /** Content of both sides after the repairs; equal texts, equal rows. */
  readonly sourceDigest: string;
  readonly targetDigest: string;
  /** What is still different: the first hundred. */
  readonly differences: readonly Difference[];
}

export interface MoveReport {
  /** True where both sides hold the same rows. */
  readonly isEqual: boolean;
  readonly entities: readonly MovedEntity[];
}

/**
 * Copies and compares. The entity's table, collection or label keeps its name; change the configuration or the class
 * first, so that the entity is declared for the new store, and bind the old store to a name of its own.
 *
 * @throws ConfigurationError for an unknown entity or store; CapabilityError where the target cannot keep the entity;
 * the stores' own errors, after which the move can go on from its last position.
 */
export async function moveEntity(options: MoveOptions): Promise<MoveReport> {
  const { stores, from } = options;
  const domain = compileDomain(options.entities, await adoptEntities(options.entities, stores));
  const entity = find(domain.entities, options.entity);
  if (options.to !== undefined && options.to !== entity.store) {
    throw new ConfigurationError(
      `${entity.name} is declared for the store "${entity.store}", not for "${options.to}". Declare it for the new store first.`,
      { entity: entity.name, store: entity.store },
    );
  }
  const [source, target] = endsOf(stores, from, entity);
  checkCapabilities(domain, stores);
  const models = [entity, ...linksOf(entity)];
  for (const model of models) checkSequence(model, target);
  const access: Access = { label: `move of ${entity.name}`, ...(options.signal && { signal: options.signal }) };
  const inTarget = domain.entities.filter((model) => model.store === entity.store);
  await source.open({ name: from, entities: models });
  try {
    await target.open({ name: entity.store, entities: inTarget });
    try {
      await bringUp(target, access);
      const moved: MovedEntity[] = [];
      for (const model of models) moved.push(await moveOne(model, source, target, access, options));
      return { isEqual: moved.every(isEqual), entities: moved };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function moveOne(
  entity: EntityModel,
  source: Store,
  target: Store,
  access: Access,
  options: MoveOptions,
): Promise<MovedEntity> {
  const size = options.pageSize ?? 1_000;
  const total = await countOf(source, entity, access);
  const copied = await copy(entity, source, target, access, options, total);
  const comparison = new Comparison(entity, source, target, access);
  let done = 0;
  for await (const rows of pages(source, entity, { size, from: undefined, access })) {
    await comparison.page(rows);
    done += rows.length;
    options.onProgress?.({ entity: entity.name, phase: 'compare', done, total });
  }
  const rest = await comparison.finish({ size, deleteExtra: options.deleteExtra === true });
  if (entity.ids.some((id) => id.generated === 'sequence')) await target.advanceSequences?.(entity, access);
  return { entity: entity.name, copied, ...rest };
}

async function copy(
  entity: EntityModel,
  source: Store,
  target: Store,
  access: Access,
  options: MoveOptions,
  total: number,
): Promise<number> {
  const order = keyOrder(entity);
  const { pageSize: size = 1_000 } = options;
  const start = options.position?.entity === entity.name ? options.position : undefined;
  const from = start && decodeCursor(entity, order, start.after, 'position.after');
  let done = start?.done ?? 0;
  let copied = 0;
  for await (const rows of pages(source, entity, { size, from, access })) {
    copied += await insertNew(entity, target, rows, access);
    done += rows.length;
    const after = encodeCursor(entity, order, keyOf(entity, rows.at(-1) ?? []));
    const position = { entity: entity.name, after, done };
    options.onProgress?.({ entity: entity.name, phase: 'copy', done, total, position });
  }
  return copied;
}

/** Rows that are there already stay as they are: the comparison looks at them. */
async function insertNew(entity: EntityModel, target: Store, rows: readonly Row[], access: Access): Promise<number> {
  const keys = rows.map((row) => keyOf(entity, row));
  const present = await byKeys(target, entity, keys, access);
  const missing = rows.filter((_, at) => !present.has(textOf(keys[at] ?? [])));
  if (missing.length === 0) return 0;
  await target.write({ op: 'insert', entity, fields: entity.fields, rows: missing }, access);
  return missing.length;
}

function isEqual(moved: MovedEntity): boolean {
  return moved.sourceDigest === moved.targetDigest && moved.source === moved.target;
}

function find(entities: readonly EntityModel[], wanted: EntityClass | string): EntityModel {
  const found = entities.find((entity) => (typeof wanted === 'string' ? entity.name : entity.target) === wanted);
  if (found !== undefined) return found;
  const names = entities.map(({ name }) => name).join(', ');
  throw new ConfigurationError(
    `There is no entity ${typeof wanted === 'string' ? `"${wanted}"` : wanted.name} to move. Known are: ${names}.`,
  );
}

/** Links of its own that live where it lives; they are found by its relations. */
function linksOf(entity: EntityModel): EntityModel[] {
  const links = entity.relations.flatMap(({ join }) =>
    join.via === 'link' && join.link.kind === 'link' ? [join.link] : [],
  );
  return [...new Set(links)].filter((link) => link.store === entity.store);
}

function endsOf(stores: MoveOptions['stores'], from: string, entity: EntityModel): [Store, Store] {
  const bound = Object.keys(stores).join(', ');
  const source = stores[from];
  const target = stores[entity.store];
  if (source === undefined) {
    throw new ConfigurationError(
      `No store is bound to "${from}", where ${entity.name} is to come from. Bound are: ${bound}.`,
    );
  }
  if (target === undefined) {
    throw new ConfigurationError(
      `No store is bound to "${entity.store}", where ${entity.name} lives. Bound are: ${bound}.`,
    );
  }
  if (source === target) {
    throw new ConfigurationError(
      `${entity.name} lives in "${entity.store}", which is where it was to be moved from. Declare it for the new store first.`,
      { entity: entity.name, store: entity.store },
    );
  }
  return [source, target];
}

function checkSequence(entity: EntityModel, target: Store): void {
  if (!entity.ids.some((id) => id.generated === 'sequence') || target.advanceSequences !== undefined) return;
  throw new CapabilityError(
    `The ids of ${entity.name} are made by its store, and "${entity.store}" cannot go on counting after the ids that are moved there.`,
    { entity: entity.name, store: entity.store },
  );
}

async function bringUp(target: Store, access: Access): Promise<void> {
  const changes = ((await target.schema?.plan(access)) ?? []).filter(
    ({ kind, destructive }) => kind !== 'drift' && !destructive,
  );
  if (changes.length > 0) await target.schema?.apply(changes, access);
}
