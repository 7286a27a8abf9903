/** Pages by cursor: the rows after or before one that is named by its values, so that no row is skipped or repeated. */
import { InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { decodeCursor, encodeCursor } from '../query/cursor.js';
import { after } from '../query/keyset.js';
import { and } from '../query/logic.js';
import { reversed, totalOrder } from '../query/order.js';
import { withOrder } from '../query/pages.js';
import type { WorkContext } from '../session/ports.js';
import { countAll, readPlan } from './find.js';
import { whole } from './numbers.js';
import { populate } from './populate.js';
import { planQuery } from './query-plan.js';

/** Where a page stands in its list. */
export interface PageInfo {
  /** Rows follow. Before a cursor (`last`) it is true because the cursor's own row follows. */
  readonly hasNextPage: boolean;
  /** Rows come before. After a cursor (`first`) it is true because the cursor's own row comes before. */
  readonly hasPreviousPage: boolean;
  /** Cursor of the first item; null for an empty page. */
  readonly startCursor: string | null;
  /** Cursor of the last item; null for an empty page. */
  readonly endCursor: string | null;
}

export interface Page<T> {
  readonly items: T[];
  readonly pageInfo: PageInfo;
  /** Number of rows on all pages; with `totalCount: true`. */
  readonly totalCount?: number;
}

const OPTIONS = ['first', 'after', 'last', 'before', 'totalCount'];

/** Most items on one page. */
const MOST = 10_000;

interface PageOptions {
  readonly first?: unknown;
  readonly after?: unknown;
  readonly last?: unknown;
  readonly before?: unknown;
  readonly totalCount?: unknown;
}

export async function findPage(work: WorkContext, entity: EntityModel, options: object): Promise<Page<object>> {
  const { limit, offset, lock, ...plan } = planQuery(entity, options, OPTIONS);
  if (limit !== undefined || offset !== undefined || lock !== undefined) {
    throw refuse(entity, 'page takes first and after (or last and before), and neither limit, offset nor lock');
  }
  const given = options as PageOptions;
  const { size, backwards, cursor, name } = direction(entity, given);
  const forwards = totalOrder(entity, plan.order);
  const order = backwards ? reversed(forwards) : forwards;
  const from = cursor === undefined ? and() : after(order, decodeCursor(entity, forwards, cursor, name));
  const wanted = plan.selection?.fields ?? entity.fields;
  const { fields, positions } = withOrder(wanted, forwards);
  const rows = await readPlan(work, { ...plan, where: and(plan.where, from), order, limit: size + 1 }, fields);
  const more = rows.length > size;
  const kept = rows.slice(0, size);
  if (backwards) kept.reverse();
  const cursorOf = (row: (typeof kept)[number] | undefined) =>
    row === undefined
      ? null
      : encodeCursor(
          entity,
          forwards,
          positions.map((position) => row[position]),
        );
  const { selection } = plan;
  const items =
    selection === undefined
      ? work.materialize(entity, kept).filter((item) => !work.isRemoved(item))
      : kept.map((row) => selection.toPlain(row));
  await populate(work, selection === undefined ? items : [], plan.populate, plan.call);
  return {
    items,
    pageInfo: {
      hasNextPage: backwards ? cursor !== undefined : more,
      hasPreviousPage: backwards ? more : cursor !== undefined,
      startCursor: cursorOf(kept[0]),
      endCursor: cursorOf(kept.at(-1)),
    },
    ...(given.totalCount === true ? { totalCount: await countAll(work, plan) } : {}),
  };
}

function direction(entity: EntityModel, given: PageOptions) {
  const first = whole(entity, 'first', given.first, 1);
  const last = whole(entity, 'last', given.last, 1);
  if ((first === undefined) === (last === undefined)) {
    throw refuse(entity, 'page takes either first (with after) or last (with before)');
  }
  if (first !== undefined && given.before !== undefined)
    throw refuse(entity, '"before" goes with last, and first was given');
  if (last !== undefined && given.after !== undefined)
    throw refuse(entity, '"after" goes with first, and last was given');
  const size = first ?? last ?? MOST;
  if (size > MOST)
    throw refuse(entity, `a page has at most ${MOST} items, and ${size} were asked for; use stream() for more`);
  const backwards = last !== undefined;
  const cursor = backwards ? given.before : given.after;
  // A null cursor is what an empty page reports; it starts at the beginning, as leaving it out does.
  return { size, backwards, cursor: cursor === null ? undefined : cursor, name: backwards ? 'before' : 'after' };
}

function refuse(entity: EntityModel, problem: string): InvalidQueryError {
  return new InvalidQueryError(`${entity.name}: ${problem}.`, { entity: entity.name });
}
