/**
 * Every kind of relation between any two models: for each ordered pair an owner in the one and a target in the other.
 * Made by a loop, with the decorators called as functions, because the classes differ in nothing but their model.
 */
import {
  type Collection,
  type DataModel,
  Document,
  type EntityClass,
  Field,
  Id,
  ManyToMany,
  ManyToOne,
  Measurement,
  Node,
  OneToMany,
  OneToOne,
  Property,
  type Ref,
  Related,
  Relational,
  Series,
  Tag,
  type TimeSeries,
  Timestamp,
} from '@storeweave/core';

export interface MatrixOwner {
  id: string;
  name: string;
  /** Key here. */
  one: Ref<MatrixTarget>;
  /** Key here, unique. */
  only: Ref<MatrixTarget>;
  /** Key there. */
  many: Collection<MatrixTarget>;
  /** Key in a link of the owner's store. */
  linked: Collection<MatrixTarget>;
}

export interface MatrixTarget {
  id: string;
  name: string;
  /** The other sides. */
  owner: Ref<MatrixOwner>;
  onlyOf: Ref<MatrixOwner>;
  manyOf: Collection<MatrixOwner>;
  linkedBy: Collection<MatrixOwner>;
}

export interface MatrixPair {
  readonly from: DataModel;
  readonly to: DataModel;
  readonly Owner: EntityClass<MatrixOwner> & (new () => MatrixOwner);
  readonly Target: EntityClass<MatrixTarget> & (new () => MatrixTarget);
}

type Decorate = (target: object, name: string) => void;
type DecorateClass = (target: new () => object) => void;

const keeping = {
  relational: ['relational', Relational],
  document: ['document', Document],
  graph: ['node', Node],
} as const;

function make<T>(
  name: string,
  model: keyof typeof keeping,
  members: Record<string, unknown>,
): EntityClass<T & object> & (new () => T) {
  const made = { [name]: class {} }[name] as new () => object;
  for (const [member, decorator] of Object.entries(members)) (decorator as Decorate)(made.prototype as object, member);
  (keeping[model][1]() as unknown as DecorateClass)(made);
  return made as EntityClass<T & object> & (new () => T);
}

function pair(from: keyof typeof keeping, to: keyof typeof keeping): MatrixPair {
  const name = `${capital(from)}To${capital(to)}`;
  const classes: { Owner?: MatrixPair['Owner']; Target?: MatrixPair['Target'] } = {};
  const target = () => classes.Target as MatrixPair['Target'];
  const owner = () => classes.Owner as MatrixPair['Owner'];
  classes.Owner = make<MatrixOwner>(`${name}Owner`, from, {
    id: Id(),
    name: Property('string'),
    one: ManyToOne(target, { nullable: true, onDelete: 'none' }),
    only: OneToOne(target, { nullable: true, onDelete: 'none' }),
    many: OneToMany(target, (each: MatrixTarget) => each.owner),
    linked: ManyToMany(target),
  });
  classes.Target = make<MatrixTarget>(`${name}Target`, to, {
    id: Id(),
    name: Property('string'),
    owner: ManyToOne(owner, { nullable: true, onDelete: 'none' }),
    onlyOf: OneToOne(owner, (each: MatrixOwner) => each.only),
    manyOf: OneToMany(owner, (each: MatrixOwner) => each.one),
    linkedBy: ManyToMany(owner, { mappedBy: (each: MatrixOwner) => each.linked }),
  });
  return { from, to, Owner: classes.Owner, Target: classes.Target };
}

const models = ['relational', 'document', 'graph'] as const;

export const matrixPairs: readonly MatrixPair[] = models.flatMap((from) => models.map((to) => pair(from, to)));

/** Edges between entities of any two models: the graph knows their keys and nothing else. */
export interface RelatedOwner {
  id: string;
  name: string;
  related: Collection<RelatedTarget>;
}

export interface RelatedTarget {
  id: string;
  name: string;
  relatedTo: Collection<RelatedOwner>;
}

export interface RelatedPair {
  readonly from: DataModel;
  readonly to: DataModel;
  readonly Owner: EntityClass<RelatedOwner> & (new () => RelatedOwner);
  readonly Target: EntityClass<RelatedTarget> & (new () => RelatedTarget);
}

function relatedPair(from: keyof typeof keeping, to: keyof typeof keeping): RelatedPair {
  const name = `${capital(from)}RelatedTo${capital(to)}`;
  const type = `${from}_to_${to}`.toUpperCase();
  const classes: { Owner?: RelatedPair['Owner']; Target?: RelatedPair['Target'] } = {};
  const target = () => classes.Target as RelatedPair['Target'];
  const owner = () => classes.Owner as RelatedPair['Owner'];
  classes.Owner = make<RelatedOwner>(`${name}Owner`, from, {
    id: Id(),
    name: Property('string'),
    related: Related(target, type),
  });
  classes.Target = make<RelatedTarget>(`${name}Target`, to, {
    id: Id(),
    name: Property('string'),
    relatedTo: Related(owner, type, { direction: 'in' }),
  });
  return { from, to, Owner: classes.Owner, Target: classes.Target };
}

export const relatedPairs: readonly RelatedPair[] = models.flatMap((from) => models.map((to) => relatedPair(from, to)));

/** An entity of any model, the points that belong to it, and a point's reference back. */
export interface SeriesOwner {
  id: string;
  name: string;
  points: TimeSeries<SeriesPoint>;
  pointList: Collection<SeriesPoint>;
}

export interface SeriesPoint {
  at: Date;
  ownerId: string;
  value: number;
}

export interface SeriesPair {
  readonly from: DataModel;
  readonly Owner: EntityClass<SeriesOwner> & (new () => SeriesOwner);
  readonly Point: EntityClass<SeriesPoint> & (new () => SeriesPoint);
}

export const seriesPairs: readonly SeriesPair[] = models.map((from) => {
  const name = `${capital(from)}Metered`;
  const Point = { [`${name}Point`]: class {} }[`${name}Point`] as new () => object;
  const members: Record<string, unknown> = { at: Timestamp(), ownerId: Tag('uuid'), value: Field('float') };
  for (const [member, decorator] of Object.entries(members)) (decorator as Decorate)(Point.prototype as object, member);
  (Measurement() as unknown as DecorateClass)(Point);
  const point = () => Point as SeriesPair['Point'];
  const Owner = make<SeriesOwner>(name, from, {
    id: Id(),
    name: Property('string'),
    points: Series(point, (each: SeriesPoint) => each.ownerId),
    pointList: OneToMany(point, (each: SeriesPoint) => each.ownerId),
  });
  return { from, Owner, Point: point() };
});

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
