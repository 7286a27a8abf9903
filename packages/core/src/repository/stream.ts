/**
 * Any number of entities in constant memory. Each chunk has an identity map of its own, which is forgotten with it:
 * what a stream gives is not tracked, and changing it changes nothing.
 */
import { InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import { orAbsent } from '../query/logic.js';
import { totalOrder } from '../query/order.js';
import { pagesByKey } from '../query/pages.js';
import type { WorkContext } from '../session/ports.js';
import { materialize, prepare } from './find.js';
import { whole } from './numbers.js';
import { populate } from './populate.js';
import { planQuery, type QueryPlan } from './query-plan.js';

const CHUNK = 1_000;

/** Entities (or plain rows, with `select`) one by one. Leaving the loop ends the query. */
export async function* streamAll(work: WorkContext, entity: EntityModel, options: object): AsyncGenerator<object> {
  const plan = planQuery(entity, options, ['batchSize']);
  const size = whole(entity, 'batchSize', (options as { batchSize?: unknown }).batchSize, 1) ?? CHUNK;
  if (plan.lock !== undefined) {
    throw new InvalidQueryError(`${entity.name}: stream() cannot lock rows; find them in pages and lock those.`, {
      entity: entity.name,
    });
  }
  for await (const rows of chunks(work, plan, size)) yield* await items(work, plan, rows);
}

async function* chunks(work: WorkContext, plan: QueryPlan, size: number): AsyncGenerator<Row[]> {
  const { entity, selection } = plan;
  if (plan.limit === 0) return;
  const { where, access } = await prepare(work, plan);
  if (access === undefined) return;
  const store = work.store(entity);
  const partly = plan.limit !== undefined || plan.offset !== undefined;
  const spec = {
    entity,
    fields: selection?.fields ?? entity.fields,
    where: orAbsent(where),
    order: partly ? totalOrder(entity, plan.order) : plan.order,
    ...(plan.limit === undefined ? {} : { limit: plan.limit }),
    ...(plan.offset === undefined ? {} : { offset: plan.offset }),
  };
  // A cursor outside of a transaction holds a connection, perhaps the only one, while the caller's loop runs. Pages by id
  // hold nothing and cost the same; only another order is worth a cursor, since each page would sort the rest again.
  const holding = access.transaction === undefined && (plan.order.length === 0 || plan.populate.length > 0);
  if (store.stream === undefined || holding) yield* pagesByKey(store, spec, access, size);
  else yield* store.stream(spec, { ...access, batchSize: size });
}

async function items(work: WorkContext, plan: QueryPlan, rows: readonly Row[]): Promise<object[]> {
  const { selection, entity } = plan;
  if (selection !== undefined) return rows.map((row) => selection.toPlain(row));
  const own = work.detached();
  const found = materialize(own, entity, rows);
  await populate(own, found, plan.populate, plan.call);
  return found;
}
