/**
 * Tables of a graph: one per node entity, one per relationship or link. A relationship's endpoints are columns; they
 * are foreign keys where the endpoint's table is in the same store, and plain keys where it lives elsewhere.
 */
import type { Endpoint, EntityModel, Field } from '@storeweave/core';
import { quoteName, type TableLayout } from '@storeweave/sql';
import type { ForeignKeyDesign, IndexDesign, TableDesign } from '../schema/design.js';
import { derivedName, entityDesign } from '../schema/entity-design.js';

export function graphDesign(
  entity: EntityModel,
  layouts: (entity: EntityModel) => TableLayout,
  schemaOf: (entity: EntityModel) => string | undefined,
  isHere: (entity: EntityModel) => boolean,
): TableDesign {
  const design = entityDesign(entity, layouts(entity), schemaOf(entity));
  const indexes = [...design.indexes];
  const foreignKeys: ForeignKeyDesign[] = [];
  const { endpoints } = entity;
  if (endpoints !== undefined) {
    for (const endpoint of [endpoints.from, endpoints.to]) {
      if (!isCovered(entity, endpoint.fields)) indexes.push(endpointIndex(entity, endpoint.fields));
    }
  }
  for (const relation of entity.relations) {
    const { join, target } = relation;
    if (join.via !== 'owner' || !isHere(target)) continue;
    const isEndpoint = [endpoints?.from, endpoints?.to].some(
      (endpoint) => endpoint !== undefined && sameFields(endpoint.fields, join.fields),
    );
    // A relationship without one of its ends is none, so it goes with them, as DETACH DELETE does.
    const onDelete = relation.onDelete ?? (isEndpoint ? 'cascade' : undefined);
    if (onDelete === undefined) continue;
    foreignKeys.push({
      name: derivedName(entity.source, ...join.fields.map((field) => field.column), 'fkey'),
      columns: join.fields.map((field) => field.column),
      target: layouts(target).table,
      targetColumns: join.targetFields.map((field) => field.column),
      onDelete,
    });
  }
  return { ...design, indexes, foreignKeys };
}

function endpointIndex(entity: EntityModel, fields: Endpoint['fields']): IndexDesign {
  const columns = fields.map((field) => field.column);
  return { name: derivedName(entity.source, ...columns, 'ends'), unique: false, on: columns.map(quoteName).join(', ') };
}

function isCovered(entity: EntityModel, fields: readonly Field[]): boolean {
  const begins = (list: readonly Field[]) => fields.every((field, i) => list[i] === field);
  return (
    begins(entity.ids) ||
    entity.indexes.some((index) => index.where === undefined && index.type === undefined && begins(index.fields))
  );
}

function sameFields(a: readonly Field[], b: readonly Field[]): boolean {
  return a.length === b.length && a.every((field, i) => field === b[i]);
}
