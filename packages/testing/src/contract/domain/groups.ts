/** The entities of the suite in groups, each with what the bound stores must have for it to be opened. */
import type { DataModel, EntityClass } from '@storeweave/core';
import { can, has, model, type Need } from '../case.js';
import {
  Booking,
  DocumentArticle,
  DocumentDiary,
  DocumentReview,
  NodeArticle,
  NodeDiary,
  NodeReview,
  RelationalArticle,
  RelationalDiary,
  RelationalReview,
  Remark,
  Thread,
} from './article.js';
import { accounts, slips } from './audited.js';
import {
  Crate,
  DocumentCountry,
  DocumentShelf,
  DocumentTicket,
  NodeCountry,
  NodeShelf,
  NodeTicket,
  RelationalCountry,
  RelationalShelf,
  RelationalTicket,
  Reply,
} from './keys.js';
import { matrixPairs, relatedPairs, seriesPairs } from './matrix.js';
import { Delivery, Depot, Road } from './network.js';
import { HourlyReading, Pulse, Reading } from './readings.js';
import { Customer, Line, Opinion, Order, Product, Profile, Visit } from './shop.js';
import {
  DocumentListSpecimen,
  DocumentMicroSpecimen,
  DocumentNanoSpecimen,
  DocumentSpecimen,
  NodeListSpecimen,
  NodeMicroSpecimen,
  NodeNanoSpecimen,
  NodeSpecimen,
  PointSpecimen,
  RelationalListSpecimen,
  RelationalMicroSpecimen,
  RelationalNanoSpecimen,
  RelationalSpecimen,
} from './specimen.js';

export interface DomainGroup {
  readonly needs: readonly Need[];
  readonly entities: readonly EntityClass[];
}

/** What the suite's plain entities ask of a store beside its model. */
export const basics = (on: DataModel): readonly Need[] => [
  model(on),
  can(on, 'uniqueIndexes', (c) => c.uniqueIndexes),
  can(on, 'versionChecks', (c) => c.versionChecks),
];
export const sequences = (on: DataModel): Need => can(on, 'sequences', (c) => c.sequences);
export const arrays = (on: DataModel): Need => can(on, 'arrays', (c) => c.arrays);
export const micros = (on: DataModel): Need => can(on, "timePrecision 'us'", (c) => c.timePrecision !== 'ms');
export const nanos = (on: DataModel): Need => can(on, "timePrecision 'ns'", (c) => c.timePrecision === 'ns');
export const allTypes = (on: DataModel): Need =>
  can(on, 'every type', (c) =>
    ['bytes', 'json', 'decimal', 'bigint', 'date'].every((type) => c.types.some((each) => each === type)),
  );

export const articles = { relational: RelationalArticle, document: DocumentArticle, graph: NodeArticle } as const;
export const reviews = { relational: RelationalReview, document: DocumentReview, graph: NodeReview } as const;
export const diaries = { relational: RelationalDiary, document: DocumentDiary, graph: NodeDiary } as const;
export const tickets = { relational: RelationalTicket, document: DocumentTicket, graph: NodeTicket } as const;
export const countries = { relational: RelationalCountry, document: DocumentCountry, graph: NodeCountry } as const;
export const shelves = { relational: RelationalShelf, document: DocumentShelf, graph: NodeShelf } as const;
export const specimens = { relational: RelationalSpecimen, document: DocumentSpecimen, graph: NodeSpecimen } as const;
export const listSpecimens = {
  relational: RelationalListSpecimen,
  document: DocumentListSpecimen,
  graph: NodeListSpecimen,
} as const;
export const microSpecimens = {
  relational: RelationalMicroSpecimen,
  document: DocumentMicroSpecimen,
  graph: NodeMicroSpecimen,
} as const;
export const nanoSpecimens = {
  relational: RelationalNanoSpecimen,
  document: DocumentNanoSpecimen,
  graph: NodeNanoSpecimen,
} as const;

/** The models whose entities are read and written one by one. */
export const entityModels = ['relational', 'document', 'graph'] as const;
export type EntityModelName = (typeof entityModels)[number];

/** Owners of a one-to-one have a unique key. */
export const matrixNeeds = (from: DataModel, to: DataModel): readonly Need[] => [
  model(from, to),
  can(from, 'uniqueIndexes', (c) => c.uniqueIndexes),
];

const perModel = entityModels.flatMap((on): DomainGroup[] => [
  { needs: basics(on), entities: [articles[on], diaries[on], countries[on], shelves[on]] },
  { needs: [...basics(on), arrays(on)], entities: [reviews[on]] },
  { needs: [model(on), sequences(on)], entities: [tickets[on]] },
  { needs: [model(on), allTypes(on)], entities: [specimens[on]] },
  { needs: [model(on), allTypes(on), arrays(on)], entities: [listSpecimens[on]] },
  { needs: [model(on), micros(on)], entities: [microSpecimens[on]] },
  { needs: [model(on), nanos(on)], entities: [nanoSpecimens[on]] },
]);

/** The models whose entities can be audited in every suite: records live beside them. */
export const recordedModels = ['relational', 'document'] as const;
export type RecordedModel = (typeof recordedModels)[number];

/** Records are relational where that is bound, and commit with what they are about. */
export const recorded = (on: RecordedModel): readonly Need[] => [
  ...basics(on),
  {
    missing: (stores) =>
      (stores.relational ?? stores.document)?.domain === stores[on]?.domain
        ? undefined
        : `${on}: the records of changes are in another transaction domain`,
  },
];

/** The shop as a whole. */
export const shop: readonly Need[] = [
  model('timeseries'),
  model('graph'),
  ...basics('relational'),
  ...basics('document'),
  arrays('document'),
];

/** Conditions of partial indexes are in the store's own words, and the suite speaks SQL. */
export const partialIndexes: readonly Need[] = [
  model('relational'),
  can('relational', 'partialIndexes', (c) => c.partialIndexes && c.uniqueIndexes),
  has('relational', 'relational'),
];

export const domainGroups: readonly DomainGroup[] = [
  ...perModel,
  ...recordedModels.map((on) => ({ needs: recorded(on), entities: [accounts[on], slips[on]] })),
  { needs: basics('relational'), entities: [Crate] },
  { needs: [model('relational'), sequences('relational')], entities: [Reply] },
  { needs: [model('relational')], entities: [Thread, Remark] },
  { needs: partialIndexes, entities: [Booking] },
  { needs: [model('timeseries'), micros('timeseries')], entities: [Pulse] },
  { needs: shop, entities: [Delivery] },
  { needs: [model('graph')], entities: [Depot, Road] },
  { needs: [model('timeseries')], entities: [Reading, HourlyReading, PointSpecimen] },
  {
    needs: shop,
    entities: [Customer, Order, Line, Product, Profile, Opinion, Visit],
  },
  ...matrixPairs.map((pair) => ({ needs: matrixNeeds(pair.from, pair.to), entities: [pair.Owner, pair.Target] })),
  ...relatedPairs.map((pair) => ({ needs: [model(pair.from, pair.to, 'graph')], entities: [pair.Owner, pair.Target] })),
  ...seriesPairs.map((pair) => ({ needs: [model(pair.from, 'timeseries')], entities: [pair.Owner, pair.Point] })),
];
