/**
 * Wraps any store and makes it fail, delay, hang or forget as a plan tells it to. Failure is a fixture: what the core
 * does about it is tested without a server and without luck.
 */
import type {
  Access,
  AggregateSpec,
  BulkWrite,
  Capabilities,
  Condition,
  DocumentStore,
  EntityModel,
  GraphStore,
  ReadSpec,
  RelationalStore,
  Rows,
  SchemaStore,
  SeriesStore,
  Store,
  StoreContext,
  StoreInspection,
  TransactionDomain,
  WriteBatch,
  WriteResult,
} from '@storeweave/core';
import { ChaosDomain } from './domain.js';
import { type ChaosCall, ChaosPlan, type ChaosRule } from './plan.js';

// Stores on one domain must share its wrapper too, or they would no longer commit together.
const wrappers = new WeakMap<ChaosPlan, WeakMap<TransactionDomain, ChaosDomain>>();

export class ChaosStore implements Store {
  readonly capabilities: Capabilities;
  readonly domain: ChaosDomain;
  readonly plan: ChaosPlan;
  /** What the inner store was opened with, for all its logical names. */
  readonly entities: EntityModel[] = [];
  readonly schema?: SchemaStore;
  readonly graph?: GraphStore;
  readonly series?: SeriesStore;
  readonly documents?: DocumentStore;
  readonly relational?: RelationalStore;
  readonly stream?: (spec: ReadSpec, access: Access & { readonly batchSize: number }) => AsyncIterable<Rows>;
  readonly count?: (entity: EntityModel, where: Condition | undefined, access: Access) => Promise<number>;
  readonly aggregate?: (spec: AggregateSpec, access: Access) => Promise<Rows>;
  readonly bulk?: (write: BulkWrite, access: Access) => Promise<number>;

  constructor(
    readonly inner: Store,
    plan: ChaosPlan,
  ) {
    this.plan = plan;
    this.capabilities = inner.capabilities;
    this.domain = wrapped(inner.domain, plan);
    const { schema, graph, series, documents, relational } = inner;
    if (inner.stream !== undefined) this.stream = (spec, access) => this.#stream(spec, access);
    if (inner.count !== undefined)
      this.count = (entity, where, access) =>
        this.#call('count', entity, access, async (given) => (await inner.count?.(entity, where, given)) ?? 0);
    if (inner.aggregate !== undefined)
      this.aggregate = (spec, access) =>
        this.#call('aggregate', spec.entity, access, async (given) => (await inner.aggregate?.(spec, given)) ?? []);
    if (inner.bulk !== undefined)
      this.bulk = (write, access) =>
        this.#call('bulk', write.entity, access, async (given) => (await inner.bulk?.(write, given)) ?? 0);
    if (schema !== undefined)
      this.schema = {
        plan: (access) => this.#call('plan', undefined, access, (given) => schema.plan(given)),
        apply: (changes, access) => this.#call('apply', undefined, access, (given) => schema.apply(changes, given)),
      };
    if (graph !== undefined)
      this.graph = {
        traverse: (spec, access) => this.#call('traverse', spec.from, access, (given) => graph.traverse(spec, given)),
        shortestPath: (spec, access) =>
          this.#call('shortestPath', undefined, access, (given) => graph.shortestPath(spec, given)),
      };
    if (series !== undefined)
      this.series = {
        window: (spec, access) => this.#call('window', spec.entity, access, (given) => series.window(spec, given)),
      };
    if (documents !== undefined)
      this.documents = {
        patch: (spec, access) => this.#call('patch', spec.entity, access, (given) => documents.patch(spec, given)),
      };
    if (relational !== undefined)
      this.relational = {
        sql: (text, values, access) =>
          this.#call('sql', undefined, access, (given) => relational.sql(text, values, given)),
        placeholder: (n) => relational.placeholder(n),
        quote: (name) => relational.quote(name),
      };
  }

  open(context: StoreContext): Promise<void> {
    return this.plan.around('open', '', {}, async () => {
      await this.inner.open(context);
      this.entities.push(...context.entities);
    });
  }

  close(): Promise<void> {
    return this.plan.around('close', '', {}, () => this.inner.close());
  }

  read(spec: ReadSpec, access: Access): Promise<Rows> {
    return this.#call('read', spec.entity, access, (given) => this.inner.read(spec, given));
  }

  write(batch: WriteBatch, access: Access): Promise<WriteResult> {
    return this.#call(batch.op, batch.entity, access, (given) => this.inner.write(batch, given));
  }

  async advanceSequences(entity: EntityModel, access: Access): Promise<void> {
    await this.#call('advanceSequences', entity, access, async (given) => this.inner.advanceSequences?.(entity, given));
  }

  async inspect(access: Access): Promise<StoreInspection> {
    const nothing: StoreInspection = { product: 'unknown', version: 'unknown', missing: [] };
    return this.#call('inspect', undefined, access, async (given) => (await this.inner.inspect?.(given)) ?? nothing);
  }

  native(access: Access): unknown {
    return this.inner.native(this.domain.access(access));
  }

  /** The server dies and comes back; see `ChaosDomain.restart`. */
  restart(): Promise<void> {
    return this.domain.restart();
  }

  /** From now on a restart loses what was committed since the last `flush()`. */
  forgetful(): void {
    this.domain.forgetful();
  }

  flush(): Promise<void> {
    return this.domain.flush();
  }

  async *#stream(spec: ReadSpec, access: Access & { readonly batchSize: number }): AsyncIterable<Rows> {
    const given = { ...this.domain.access(access), batchSize: access.batchSize };
    const pieces = this.inner.stream?.(spec, given)[Symbol.asyncIterator]();
    if (pieces === undefined) return;
    try {
      for (;;) {
        const piece = await this.plan.around('stream', spec.entity.name, access, () => pieces.next());
        if (piece.done === true) return;
        yield piece.value;
      }
    } finally {
      await pieces.return?.();
    }
  }

  #call<R>(
    call: ChaosCall,
    entity: EntityModel | undefined,
    access: Access,
    work: (given: Access) => Promise<R>,
  ): Promise<R> {
    return this.plan.around(call, entity?.name ?? '', access, () => work(this.domain.access(access)));
  }
}

function wrapped(inner: TransactionDomain, plan: ChaosPlan): ChaosDomain {
  const known = wrappers.get(plan) ?? new WeakMap<TransactionDomain, ChaosDomain>();
  wrappers.set(plan, known);
  const domain = known.get(inner) ?? new ChaosDomain(inner, plan);
  known.set(inner, domain);
  return domain;
}

/** Wraps a store. Give stores of one domain the same `ChaosPlan`, so that they still commit together. */
export function chaosStore(inner: Store, plan: ChaosPlan | readonly ChaosRule[] = []): ChaosStore {
  return new ChaosStore(inner, plan instanceof ChaosPlan ? plan : new ChaosPlan(plan));
}
