/**
 * Loads relations of many owners at once: per relation and level one query for the targets, and one for the links where
 * there are any, whatever the number of owners and wherever the targets live. Instances come from the identity map of
 * the context, so an entity that is reached twice is one object and a cycle closes.
 */
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';
import { idsOf } from '../query/identity.js';
import { alignKey, keyText, valueText } from '../query/key.js';
import { and, keysIn, or, orAbsent, TRUE } from '../query/logic.js';
import { totalOrder } from '../query/order.js';
import { entitiesIn, settle } from '../query/semi-join.js';
import { visible } from '../query/where.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { Condition } from '../store/condition.js';
import type { Order, ReadSpec } from '../store/read.js';
import type { PopulateNode } from './populate-plan.js';
import { isResolved, loadedItems, ownerKey, resolve } from './relation-state.js';

/** Relations that this call has filled, by owner: what a path nearer to the root decided, a farther one leaves alone. */
export type Filled = Map<RelationModel, Set<object>>;

/** Fills the relations of `nodes` for all owners, level by level. */
export async function populate(
  work: WorkContext,
  owners: readonly object[],
  nodes: readonly PopulateNode[],
  call: CallOptions,
  filled: Filled = new Map(),
): Promise<void> {
  if (owners.length === 0) return;
  for (const node of nodes) {
    await fillLevel(work, owners, node, call, filled);
    if (node.children.length === 0) continue;
    const next = new Set<object>();
    for (const owner of owners) for (const item of loadedItems(owner, node.relation)) next.add(item);
    await populate(work, [...next], node.children, call, filled);
  }
}

async function fillLevel(
  work: WorkContext,
  owners: readonly object[],
  node: PopulateNode,
  call: CallOptions,
  filled: Filled,
): Promise<void> {
  const { relation } = node;
  let done = filled.get(relation);
  if (done === undefined) {
    done = new Set();
    filled.set(relation, done);
  }
  const waiting = new Waiting();
  for (const owner of owners) {
    if (done.has(owner)) continue;
    done.add(owner);
    if (relation.join.via === 'owner' && isResolved(owner, relation)) continue;
    waiting.add(owner, ownerKey(owner, relation));
  }
  const { join } = relation;
  if (waiting.keys.length > 0) {
    if (join.via === 'owner') await fromOwner(work, node, waiting, join.fields, join.targetFields, call);
    else if (join.via === 'target') await fromTarget(work, node, waiting, join.fields, join.targetFields, call);
    else await fromLinks(work, node, waiting, call);
  }
  waiting.settle(relation, node.filter === undefined);
}

/** Owners by key, and what was found for each. */
class Waiting {
  readonly keys: Value[][] = [];
  readonly #owners = new Map<string, object[]>();
  readonly #found = new Map<object, object[]>();

  add(owner: object, key: Value[]): void {
    this.#found.set(owner, []);
    const text = keyText(key);
    if (text === undefined) return;
    const same = this.#owners.get(text);
    if (same !== undefined) same.push(owner);
    else {
      this.#owners.set(text, [owner]);
      this.keys.push(key);
    }
  }

  has(text: string | undefined): text is string {
    return text !== undefined && this.#owners.has(text);
  }

  found(text: string | undefined, item: object): void {
    if (text === undefined) return;
    for (const owner of this.#owners.get(text) ?? []) this.#found.get(owner)?.push(item);
  }

  settle(relation: RelationModel, complete: boolean): void {
    for (const [owner, items] of this.#found) resolve(owner, relation, items, complete);
  }
}

async function fromOwner(
  work: WorkContext,
  { relation }: PopulateNode,
  waiting: Waiting,
  fields: readonly Field[],
  targetFields: readonly Field[],
  call: CallOptions,
): Promise<void> {
  const { target } = relation;
  const byId = targetFields.length === target.ids.length && targetFields.every((field, at) => field === target.ids[at]);
  const wanted: Value[][] = [];
  for (const ownerKey of waiting.keys) {
    const key = alignKey(ownerKey, fields, targetFields);
    const known = byId ? work.known(target, key) : undefined;
    if (known === undefined) wanted.push(key);
    else waiting.found(keyText(key), known);
  }
  if (wanted.length === 0) return;
  // No `seen` here: a reference says which entity it means, deleted or not, and must not read as dangling.
  const rows = await readTarget(work, target, keysIn(targetFields, wanted), call);
  eachInstance(work, target, rows, (row, item) => waiting.found(textAt(row, targetFields), item));
}

async function fromTarget(
  work: WorkContext,
  { relation, filter, seen }: PopulateNode,
  waiting: Waiting,
  fields: readonly Field[],
  targetFields: readonly Field[],
  call: CallOptions,
): Promise<void> {
  const { target } = relation;
  const keys = waiting.keys.map((key) => alignKey(key, fields, targetFields));
  const where = and(keysIn(targetFields, keys), filter?.where ?? TRUE, seen);
  const cutting = filter !== undefined && (filter.limit !== undefined || filter.offset !== undefined);
  const perGroup = cutting && work.store(target).capabilities.limitPerGroup;
  const rows = await readTarget(work, target, where, call, {
    order: orderOf(target, filter?.order ?? [], cutting),
    ...(perGroup ? { perGroup: targetFields, limit: filter.limit, offset: filter.offset } : {}),
  });
  const kept = cutting && !perGroup ? cutPerGroup(rows, targetFields, filter) : rows;
  eachInstance(work, target, kept, (row, item) => waiting.found(textAt(row, targetFields), item));
}

/** For stores that cannot cut per group: all rows were read, and these stay. */
function cutPerGroup(
  rows: readonly Row[],
  fields: readonly Field[],
  filter: NonNullable<PopulateNode['filter']>,
): Row[] {
  const first = filter.offset ?? 0;
  const end = first + (filter.limit ?? Number.POSITIVE_INFINITY);
  const groups = new Map<string, number>();
  return rows.filter((row) => {
    const text = textAt(row, fields) ?? '';
    const position = groups.get(text) ?? 0;
    groups.set(text, position + 1);
    return position >= first && position < end;
  });
}

async function fromLinks(
  work: WorkContext,
  { relation, filter, seen }: PopulateNode,
  waiting: Waiting,
  call: CallOptions,
): Promise<void> {
  const { join, target } = relation;
  if (join.via !== 'link') return;
  const ends = await readLinks(work, relation, waiting, call);
  if (ends.size === 0) return;
  const keys = [...ends.values()].map(({ key }) => key);
  const where = and(keysIn(target.ids, keys), filter?.where ?? TRUE, seen);
  const cutting = filter !== undefined && (filter.limit !== undefined || filter.offset !== undefined);
  const rows = await readTarget(work, target, where, call, { order: orderOf(target, filter?.order ?? [], cutting) });
  const first = filter?.offset ?? 0;
  const last = first + (filter?.limit ?? Number.POSITIVE_INFINITY);
  const positions = new Map<string, number>();
  const kept: { readonly row: Row; readonly owners: readonly string[] }[] = [];
  for (const row of rows) {
    const owners = [...(ends.get(keyText(idsOf(target, row)) ?? '')?.owners ?? [])].filter((owner) => {
      const position = positions.get(owner) ?? 0;
      positions.set(owner, position + 1);
      return position >= first && position < last;
    });
    if (owners.length > 0) kept.push({ row, owners });
  }
  const items = work.materialize(
    target,
    kept.map(({ row }) => row),
  );
  kept.forEach(({ owners }, at) => {
    const item = items[at];
    if (item !== undefined && !work.isRemoved(item)) for (const owner of owners) waiting.found(owner, item);
  });
}

/** The far ends of the owners' links: each target's key once, with the owners it belongs to. */
async function readLinks(work: WorkContext, relation: RelationModel, waiting: Waiting, call: CallOptions) {
  const ends = new Map<string, { readonly key: Value[]; readonly owners: Set<string> }>();
  const { join, owner, target } = relation;
  if (join.via !== 'link') return ends;
  const { link, ownerFields, targetFields } = join;
  const near = (fields: readonly Field[]) =>
    keysIn(
      fields,
      waiting.keys.map((key) => alignKey(key, owner.ids, fields)),
    );
  const mine = join.direction === 'both' ? or(near(ownerFields), near(targetFields)) : near(ownerFields);
  const access = await work.access(link, [link], call);
  const where = orAbsent(and(mine, visible(link)));
  const rows = await work.store(link).read({ entity: link, fields: [...ownerFields, ...targetFields], where }, access);
  const connect = (from: Value[], to: Value[], toFields: readonly Field[]) => {
    const ownerText = keyText(from);
    if (!waiting.has(ownerText)) return;
    const key = alignKey(to, toFields, target.ids);
    const text = keyText(key);
    if (text === undefined) return;
    const end = ends.get(text);
    if (end === undefined) ends.set(text, { key, owners: new Set([ownerText]) });
    else end.owners.add(ownerText);
  };
  for (const row of rows) {
    const ownerKey = row.slice(0, ownerFields.length);
    const targetKey = row.slice(ownerFields.length);
    connect(ownerKey, targetKey, targetFields);
    if (join.direction === 'both') connect(targetKey, ownerKey, ownerFields);
  }
  return ends;
}

async function readTarget(
  work: WorkContext,
  target: EntityModel,
  where: Condition,
  call: CallOptions,
  more: Partial<ReadSpec> = {},
): Promise<Row[]> {
  const settled = await settle(work, target, where, call);
  const access = await work.access(target, [target, ...entitiesIn(settled)], call);
  return work.store(target).read({ ...more, entity: target, fields: target.fields, where: orAbsent(settled) }, access);
}

function orderOf(target: EntityModel, order: readonly Order[], cutting: boolean): readonly Order[] | undefined {
  if (cutting) return totalOrder(target, order);
  if (order.length > 0) return order;
  // A series has an order by nature; other collections have none unless it is asked for.
  return target.timestamp === undefined
    ? undefined
    : [{ on: { field: target.timestamp }, direction: 'asc', nulls: 'last' }];
}

function eachInstance(
  work: WorkContext,
  target: EntityModel,
  rows: readonly Row[],
  found: (row: Row, item: object) => void,
): void {
  const items = work.materialize(target, rows);
  for (const [at, row] of rows.entries()) {
    const item = items[at];
    if (item !== undefined && !work.isRemoved(item)) found(row, item);
  }
}

/** Text of the key in these fields of a row. */
function textAt(row: Row, fields: readonly Field[]): string | undefined {
  const [field] = fields;
  if (field !== undefined && fields.length === 1) return valueText(row[field.index]);
  return keyText(fields.map(({ index }) => row[index]));
}
