/**
 * The domain: four data models in one set of classes. Where each of them is kept is decided by the stores that `open()`
 * is given, and not here.
 */
import {
  type Collection,
  Document,
  Field,
  From,
  Id,
  identity,
  Measurement,
  OneToOne,
  Property,
  type Ref,
  Related,
  Relational,
  Relationship,
  Series,
  Tag,
  type TimeSeries,
  Timestamp,
  To,
  Version,
} from '@storeweave/core';

/** An airport of the United States: a row of a table. */
@Relational({ table: 'airports' })
export class Airport {
  declare readonly [identity]: 'iata';
  @Id('string', { length: 4 }) iata!: string;
  @Property('string') name!: string;
  /** Unknown for a few air bases and islands. */
  @Property('string', { nullable: true }) city!: string | null;
  @Property('string', { nullable: true }) state!: string | null;
  @Property('string') country!: string;
  @Property('float') latitude!: number;
  @Property('float') longitude!: number;

  /** In the document store. */
  @OneToOne(
    () => AirportGuide,
    (guide) => guide.iata,
  )
  guide!: Ref<AirportGuide>;
  /** In the graph store. */
  @Related(() => Airport, 'ROUTE') destinations!: Collection<Airport>;
  /** In the time-series store. */
  @Series(
    () => FlightDelay,
    (delay) => delay.origin,
  )
  departures!: TimeSeries<FlightDelay>;
}

/** One of an airport's longest routes. */
export interface LongRoute {
  readonly to: string;
  readonly miles: number;
}

/** What a traveller wants to know of an airport that has flights: a document, derived from the data. */
@Document({ collection: 'airport_guides' })
export class AirportGuide {
  declare readonly [identity]: 'iata';
  @Id('string', { length: 4 }) iata!: string;
  @Property('json') location!: { readonly latitude: number; readonly longitude: number };
  /** Flights that leave. */
  @Property('integer') departures!: number;
  /** The three hours of the day (0 to 23) in which most flights leave, busiest first. */
  @Property('integer', { array: true }) busiestHours!: number[];
  /** The five longest routes, longest first. */
  @Property('json') longestRoutes!: readonly LongRoute[];
}

/** That flights go from one airport to another: an edge of the graph between two rows. */
@Relationship({ type: 'ROUTE' })
export class Route {
  @From(() => Airport) from!: Ref<Airport>;
  @To(() => Airport) to!: Ref<Airport>;
  @Property('integer') flights!: number;
  /** Miles. */
  @Property('integer') distance!: number;
}

/** The delay of one flight: a point in time, known by its minute, its route and its number among the like. */
@Measurement({ name: 'flight_delays' })
export class FlightDelay {
  @Timestamp() time!: Date;
  @Tag() origin!: string;
  @Tag() destination!: string;
  /** Position among the flights of the same minute, origin and destination, from 0. */
  @Tag('integer') ordinal!: number;
  /** Minutes; negative for early. */
  @Field('integer') delay!: number;
}

/** How far a part of the loading has come; written in the transaction of what it counts. */
@Relational({ table: 'load_progress' })
export class LoadProgress {
  declare readonly [identity]: 'part';
  @Id('string', { length: 20 }) part!: string;
  /** Which flights: '20k' or '3m'. */
  @Property('string') flights!: string;
  /** Records that are in the database. */
  @Property('integer') done!: number;
  @Property('boolean') complete!: boolean;
  @Version() version!: number;
}

export const ENTITIES = [Airport, AirportGuide, Route, FlightDelay, LoadProgress];
