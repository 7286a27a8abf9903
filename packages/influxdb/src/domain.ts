/** InfluxDB has no transactions: a batch stands alone, and what it wrote stays written. */
import type { TransactionDomain } from '@storeweave/core';

export function influxdbDomain(url: string): TransactionDomain {
  return { name: `influxdb ${new URL(url).host}` };
}
