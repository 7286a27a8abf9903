/** One repository of each kind for each entity, made on first use, over one source of contexts. */
import { InvalidStateError } from '../errors/errors.js';
import type { DomainModel } from '../model/domain-model.js';
import type { DataModel, EntityClass, EntityModel } from '../model/entity-model.js';
import { DocumentRepository } from '../repository/document-repository.js';
import { GraphRepository } from '../repository/graph-repository.js';
import { RelationalRepository } from '../repository/relational-repository.js';
import { Repository } from '../repository/repository.js';
import { SeriesRepository } from '../repository/series-repository.js';
import type { CallOptions, ContextSource, WorkContext } from '../session/ports.js';
import type { ModelOf } from '../types/brands.js';

/** Nothing more where a class may be of this model; where it names another one, what the compiler is to say. */
export type OfModel<T extends object, M extends DataModel> =
  M extends ModelOf<T> ? unknown : `this entity is ${ModelOf<T>}, not ${M}`;

type Kind = new (entity: EntityModel, source: ContextSource) => object;

/** What a weave and a unit of work have in common: the doors to their entities. */
export abstract class Repositories {
  readonly #domain: DomainModel;
  readonly #source: ContextSource = {
    current: () => this.context(),
    settled: (read, options) => this.settle(read, options),
  };
  readonly #made = new Map<Kind, Map<EntityModel, object>>();

  constructor(domain: DomainModel) {
    this.#domain = domain;
  }

  /** What a call belongs to. */
  protected abstract context(): WorkContext;

  /** Runs a read with `consistency: 'settled'`. */
  protected settle<R>(_read: (work: WorkContext) => Promise<R>, _options: CallOptions): Promise<R> {
    throw new InvalidStateError(
      "consistency: 'settled' is for reads outside of a unit of work, which has its own view of what it has locked or begun. Read before it begins, or use weave.settled().",
    );
  }

  /** The repository of an entity: the same object each time, whose calls join the unit of work that they are made in. */
  repository<T extends object>(entity: EntityClass<T>): Repository<T> {
    return this.#get(Repository, entity) as Repository<T>;
  }

  /** Walks in the graph. */
  graph<T extends object>(entity: EntityClass<T>): GraphRepository<T> {
    return this.#get(GraphRepository, entity) as GraphRepository<T>;
  }

  /** Measurements over time. */
  series<T extends object>(entity: EntityClass<T> & OfModel<T, 'timeseries'>): SeriesRepository<T> {
    return this.#get(SeriesRepository, entity) as SeriesRepository<T>;
  }

  /** Partial updates and aggregation of documents. */
  documents<T extends object>(entity: EntityClass<T> & OfModel<T, 'document'>): DocumentRepository<T> {
    return this.#get(DocumentRepository, entity) as DocumentRepository<T>;
  }

  /** Joins, grouping and SQL. */
  relational<T extends object>(entity: EntityClass<T> & OfModel<T, 'relational'>): RelationalRepository<T> {
    return this.#get(RelationalRepository, entity) as RelationalRepository<T>;
  }

  #get(kind: Kind, target: EntityClass): object {
    const entity = this.#domain.of(target);
    let own = this.#made.get(kind);
    if (own === undefined) {
      own = new Map();
      this.#made.set(kind, own);
    }
    let made = own.get(entity);
    if (made === undefined) {
      made = new kind(entity, this.#source);
      own.set(entity, made);
    }
    return made;
  }
}
