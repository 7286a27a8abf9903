/** The graph store: nodes and relationships are rows of tables, walks are levels of joins. */
import type {
  Access,
  Capabilities,
  EntityModel,
  GraphStore,
  PathRow,
  ShortestPathSpec,
  StoreContext,
  TraverseSpec,
} from '@storeweave/core';
import { columnLayout, type SqlDomain, type SqlSession, type TableLayout, withCommit } from '@storeweave/sql';
import { shared } from '../capabilities.js';
import { ModelStore, type PostgresStoreOptions } from '../model-store.js';
import type { TableDesign } from '../schema/design.js';
import { graphDesign } from './graph-design.js';
import { shortestPath } from './shortest-path.js';
import { traverse } from './traverse.js';

export class PostgresGraphStore extends ModelStore {
  readonly capabilities: Capabilities = withCommit(this.domain, { ...shared, models: ['graph'], foreignKeys: true });
  readonly graph: GraphStore = {
    traverse: (spec, access) => this.#traverse(spec, access),
    shortestPath: (spec, access) => this.#shortestPath(spec, access),
  };

  constructor(domain: SqlDomain, options: PostgresStoreOptions = {}) {
    super(domain, options);
  }

  protected override createLayout(entity: EntityModel, _context: StoreContext): TableLayout {
    return columnLayout(entity, { schema: this.schemaOf(entity) });
  }

  protected override createDesign(entity: EntityModel): TableDesign {
    return graphDesign(entity, this.layoutOf, this.schemaOf, this.isHere);
  }

  #traverse(spec: TraverseSpec, access: Access): Promise<PathRow[]> {
    return this.#atOneTime(spec.maxDepth, access, (session) =>
      traverse(spec, this.layoutOf, session, access.timeoutMs),
    );
  }

  #shortestPath(spec: ShortestPathSpec, access: Access): Promise<PathRow | undefined> {
    return this.#atOneTime(spec.maxDepth, access, (session) => shortestPath(spec, this.layoutOf, session));
  }

  /** A walk of several levels outside a transaction sees one state of the graph, or it could find a path that never was. */
  async #atOneTime<R>(levels: number, access: Access, walk: (session: SqlSession) => Promise<R>): Promise<R> {
    if (levels <= 1 || access.transaction !== undefined) return this.domain.use(access, walk);
    const { signal, timeoutMs, label } = access;
    const transaction = await this.domain.begin({
      isolation: 'repeatable read',
      readOnly: true,
      signal,
      timeoutMs,
      label,
    });
    try {
      const result = await this.domain.use({ ...access, transaction }, walk);
      await transaction.commit();
      return result;
    } finally {
      await transaction.rollback();
    }
  }
}
