/**
 * Table of a measurement: partitioned by its time. The key begins with the tags, because a series is read by its tags
 * over a stretch of time; the partitions narrow the time already.
 */
import { ConfigurationError, type EntityModel, type Field } from '@storeweave/core';
import type { TableLayout } from '@storeweave/sql';
import type { TableDesign } from '../schema/design.js';
import { entityDesign } from '../schema/entity-design.js';

export function timestampOf(entity: EntityModel): Field {
  if (entity.timestamp !== undefined) return entity.timestamp;
  throw new ConfigurationError(
    `${entity.name} has no timestamp, so it is no measurement. Add @Timestamp() at!: Date.`,
    {
      entity: entity.name,
    },
  );
}

export function seriesDesign(entity: EntityModel, layout: TableLayout, schema: string | undefined): TableDesign {
  const time = timestampOf(entity);
  const keys = [...entity.ids.filter((field) => field !== time), time];
  const design = entityDesign(entity, layout, schema);
  const retention = entity.annotations.get('retention');
  return {
    ...design,
    // Dropping old partitions is an explicit act; whoever does it finds here what the class says.
    purpose: retention === undefined ? design.purpose : `${design.purpose}, kept for ${String(retention)}`,
    primaryKey: keys.map((field) => field.column),
    partitionedBy: time.column,
  };
}
