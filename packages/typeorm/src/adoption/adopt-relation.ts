/**
 * One relation of TypeORM's. Where both ends are entities of Storeweave it is one here, too, and its property holds what
 * TypeORM would put there. Where the other end is not, yet, the property is left to TypeORM; but a key in this row is
 * kept, as an object of the other class that has its key and nothing else.
 */
import type { AdoptedField, AdoptedRelation, EntityClass } from '@storeweave/core';
import type { RelationMetadata } from 'typeorm';
import { adoptField } from './adopt-field.js';
import type { Adoption, ColumnMetadata } from './adoption.js';

export function adoptRelation(
  relation: RelationMetadata,
  adoption: Adoption,
): AdoptedRelation | AdoptedField | undefined {
  const { adopted, report } = adoption;
  const isOwner = relation.isManyToOne || relation.isOneToOneOwner;
  const virtual = relation.joinColumns.filter((column) => column.isVirtual);
  if (!adopted.has(relation.inverseEntityMetadata.target)) {
    return isOwner && virtual.length > 0 ? keyOnly(relation, virtual, adoption) : undefined;
  }
  if (relation.isLazy) {
    report(
      'is lazy, a Promise. Take lazy away: an entity of Storeweave loads relations with populate.',
      relation.propertyPath,
    );
    return undefined;
  }
  if (relation.embeddedMetadata !== undefined) {
    report(
      'is a relation inside an embedded object, which is not adopted. Move it to the entity.',
      relation.propertyPath,
    );
    return undefined;
  }
  if (isOwner && virtual.some((column) => column.isPrimary)) {
    report(
      `is a relation that is part of the primary key, which is adopted only where its columns (${virtual.map((column) => column.databaseName).join(', ')}) are properties, too: add @PrimaryColumn() with the column's name beside it.`,
      relation.propertyPath,
    );
    return undefined;
  }
  const end = ending(relation, isOwner);
  if (end === undefined) return undefined;
  return {
    kind: 'relation',
    name: relation.propertyName,
    relation: relation.relationType,
    target: relation.inverseEntityMetadata.target as EntityClass,
    nullable: isOwner ? relation.isNullable && relation.joinColumns.every((column) => column.isNullable) : true,
    cascade: [
      ...(relation.isCascadeInsert ? (['persist'] as const) : []),
      ...(relation.isCascadeRemove ? (['remove'] as const) : []),
    ],
    orphanRemoval: relation.isOneToMany && relation.inverseRelation?.orphanedRowAction === 'delete',
    ...(isOwner ? { onDelete: deletion(relation) } : {}),
    ...end,
  };
}

/** Where the key of the relation is. Undefined where the other side does not lead back. */
function ending(
  relation: RelationMetadata,
  isOwner: boolean,
): Pick<AdoptedRelation, 'key' | 'inverse' | 'link'> | undefined {
  if (isOwner) {
    const { primaryColumns } = relation.inverseEntityMetadata;
    const columns = inOrder(relation.joinColumns, primaryColumns);
    return {
      key: {
        columns: columns.map((column) => column.databaseName),
        references: columns.map((column) => column.referencedColumn?.propertyPath ?? ''),
      },
    };
  }
  if (relation.isManyToManyOwner) {
    const junction = relation.junctionEntityMetadata;
    if (junction === undefined) return undefined;
    const owner = inOrder(junction.ownerColumns, relation.entityMetadata.primaryColumns);
    const target = inOrder(junction.inverseColumns, relation.inverseEntityMetadata.primaryColumns);
    return {
      link: {
        table: junction.tableName,
        ...(junction.schema === undefined ? {} : { namespace: junction.schema }),
        ownerColumns: owner.map((column) => column.databaseName),
        targetColumns: target.map((column) => column.databaseName),
      },
    };
  }
  const { inverseRelation } = relation;
  return inverseRelation === undefined ? undefined : { inverse: inverseRelation.propertyName };
}

/** Join columns in the order of the key that they refer to. */
function inOrder(columns: readonly ColumnMetadata[], key: readonly ColumnMetadata[]): ColumnMetadata[] {
  const place = ({ referencedColumn }: ColumnMetadata) =>
    referencedColumn === undefined ? -1 : key.indexOf(referencedColumn);
  return columns.toSorted((a, b) => place(a) - place(b));
}

function deletion(relation: RelationMetadata): NonNullable<AdoptedRelation['onDelete']> {
  if (!relation.createForeignKeyConstraints) return 'none';
  if (relation.onDelete === 'CASCADE') return 'cascade';
  return relation.onDelete === 'SET NULL' ? 'set null' : 'restrict';
}

/** The key of an entity that only TypeORM knows. */
function keyOnly(
  relation: RelationMetadata,
  columns: readonly ColumnMetadata[],
  adoption: Adoption,
): AdoptedField | undefined {
  const [column] = columns;
  const referenced = column?.referencedColumn;
  if (column === undefined || referenced === undefined) return undefined;
  if (columns.length > 1 || column.isPrimary || relation.embeddedMetadata !== undefined) {
    adoption.report(
      `leads to ${relation.inverseEntityMetadata.name}, which is not among the entities, by ${columns.map((each) => each.databaseName).join(', ')}. Add ${relation.inverseEntityMetadata.name} to the entities, or give these columns properties of their own.`,
      relation.propertyPath,
    );
    return undefined;
  }
  const field = adoptField(referenced, adoption);
  if (field === undefined) return undefined;
  const { generated: _generated, special: _special, default: _default, id: _id, convert, ...shape } = field;
  const name = referenced.propertyName;
  const [there, back] = [convert?.toStore, convert?.fromStore] as ((value: unknown) => unknown)[];
  const keyOf = (value: unknown) =>
    typeof value === 'object' && value !== null && !(value instanceof Date) && name in value
      ? (value as Record<string, unknown>)[name]
      : value;
  return {
    ...shape,
    name: relation.propertyName,
    column: column.databaseName,
    nullable: relation.isNullable && column.isNullable,
    convert: {
      toStore: (value: unknown) => (there === undefined ? keyOf(value) : there(keyOf(value))),
      fromStore: (value: unknown) => {
        const stub = Object.create(
          (relation.inverseEntityMetadata.target as EntityClass).prototype as object,
        ) as object;
        return Object.assign(stub, { [name]: back === undefined ? value : back(value) });
      },
    },
  };
}
