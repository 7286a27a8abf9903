/** What the depots' sensors report: the suite's time series. */
import { type Defaults, Field, Measurement, optional, Tag, Timestamp } from '@storeweave/core';

@Measurement({ name: 'readings' })
export class Reading {
  declare readonly [optional]: Defaults<'samples'>;
  @Timestamp() at!: Date;
  @Tag() depot!: string;
  @Tag() sensor!: string;
  @Field('float', { nullable: true }) celsius!: number | null;
  @Field('integer', { default: 1 }) samples!: number;
}

/** Points finer than a millisecond apart. */
@Measurement({ name: 'pulses' })
export class Pulse {
  @Timestamp({ precision: 'us' }) at!: bigint;
  @Tag() source!: string;
  @Field('float') volts!: number;
}

@Measurement({ name: 'hourly_readings' })
export class HourlyReading {
  @Timestamp() at!: Date;
  @Tag() depot!: string;
  @Field('float', { nullable: true }) mean!: number | null;
  @Field('float', { nullable: true }) highest!: number | null;
}
