/** Readings of stations, in milliseconds and microseconds, and their coarser copies. */
import { compileDomain, Field, Measurement, Tag, Timestamp } from '@storeweave/core';

@Measurement({ name: 'readings' })
export class Reading {
  @Timestamp() at!: Date;
  @Tag() station!: string;
  @Tag('integer') sensor!: number;
  @Field('float', { nullable: true }) value!: number | null;
  @Field('integer', { nullable: true }) hits!: number | null;
  @Field('decimal', { nullable: true, precision: 12, scale: 2 }) price!: string | null;
  @Field('bigint', { nullable: true }) bytes!: bigint | null;
  @Field('string', { nullable: true }) note!: string | null;
}

@Measurement({ name: 'pulses' })
export class Pulse {
  @Timestamp({ precision: 'us' }) at!: bigint;
  @Tag() device!: string;
  @Field() value!: number;
}

@Measurement({ name: 'hourly_readings' })
export class HourlyReading {
  @Timestamp() at!: Date;
  @Tag() station!: string;
  @Field('float', { nullable: true }) mean!: number | null;
  @Field('integer', { nullable: true }) points!: number | null;
}

export const seriesDomain = compileDomain([Reading, Pulse, HourlyReading]);
