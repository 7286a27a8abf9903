/**
 * Classes with TypeORM's decorators as entities of Storeweave. Everything is read from the metadata that TypeORM itself
 * builds (naming strategy, inherited columns, embedded prefixes, join tables), so that both work on the same tables.
 */
import type { AdoptedEntity, AdoptedIndex, AdoptedMember, EntityClass, LifecycleEvent } from '@storeweave/core';
import type { EntityMetadata } from 'typeorm';
import { adoptField } from './adopt-field.js';
import { adoptRelation } from './adopt-relation.js';
import type { Adoption, ColumnMetadata } from './adoption.js';

export function adoptEntity(metadata: EntityMetadata, adopted: ReadonlySet<unknown>): AdoptedEntity {
  const problems: AdoptedEntity['problems'][number][] = [];
  const adoption: Adoption = {
    metadata,
    adopted,
    report: (message, property) => problems.push({ message, ...(property === undefined ? {} : { property }) }),
  };
  reportUnknown(adoption);
  const members = membersAt(adoption, '');
  const names = fieldNames(members);
  return {
    source: metadata.tableName,
    ...(metadata.schema === undefined ? {} : { namespace: metadata.schema }),
    ...(metadata.tableType === 'entity-child' ? { part: true } : {}),
    members,
    indexes: indexesOf(metadata, names),
    hooks: metadata.listeners.flatMap(({ type, propertyName, embeddedMetadata }) => {
      const event = events[type];
      return event === undefined || embeddedMetadata !== undefined ? [] : [{ event, method: propertyName }];
    }),
    problems,
  };
}

const events: Readonly<Record<string, LifecycleEvent | undefined>> = {
  'after-load': 'afterLoad',
  'before-insert': 'beforeInsert',
  'after-insert': 'afterInsert',
  'before-update': 'beforeUpdate',
  'after-update': 'afterUpdate',
  'before-remove': 'beforeDelete',
  'after-remove': 'afterDelete',
};

function reportUnknown({ metadata, report }: Adoption): void {
  if (metadata.tableType === 'view')
    report('is a view, whose columns have no types. Give it a class of its own with @Property.');
  if (metadata.treeType !== undefined || metadata.tableType === 'closure-junction') {
    report(
      'is a tree of TypeORM, which is not adopted. Keep using its TreeRepository, and leave the class out of entities.',
    );
  }
  if (metadata.childEntityMetadatas.length > 0) {
    const children = metadata.childEntityMetadatas.map(({ name }) => name).join(', ');
    report(
      `keeps other classes in its table (@TableInheritance). Put ${children} into entities, each of which is adopted by itself, and keep reading ${metadata.name} through TypeORM, which tells them apart.`,
    );
  }
}

/** Members of the class, or of the embedded object at this path, in the order of the columns. */
function membersAt(adoption: Adoption, path: string): AdoptedMember[] {
  const { metadata } = adoption;
  const members: AdoptedMember[] = [];
  const isHere = (column: ColumnMetadata) => (column.embeddedMetadata?.propertyPath ?? '') === path;
  for (const column of metadata.columns.filter(isHere)) {
    if (column.isVirtual || column.isVirtualProperty || column.isDiscriminator) continue;
    const field = adoptField(column, adoption);
    if (field !== undefined) members.push(field);
  }
  const embeddeds = metadata.allEmbeddeds.filter(
    (embedded) => (embedded.parentEmbeddedMetadata?.propertyPath ?? '') === path,
  );
  for (const embedded of embeddeds) {
    members.push({
      kind: 'embedded',
      name: embedded.propertyName,
      target: embedded.type as EntityClass,
      nullable: false,
      members: membersAt(adoption, embedded.propertyPath),
    });
  }
  for (const relation of metadata.relations) {
    if ((relation.embeddedMetadata?.propertyPath ?? '') !== path) continue;
    const member = adoptRelation(relation, adoption);
    if (member !== undefined) members.push(member);
  }
  return members;
}

function fieldNames(members: readonly AdoptedMember[], path = ''): Set<string> {
  const names = new Set<string>();
  for (const member of members) {
    if (member.kind === 'embedded')
      for (const name of fieldNames(member.members, `${path}${member.name}.`)) names.add(name);
    else if (member.kind === 'field' || member.key !== undefined) names.add(path + member.name);
  }
  return names;
}

/** Those over columns that have no property here are TypeORM's business alone. */
function indexesOf(metadata: EntityMetadata, names: ReadonlySet<string>): AdoptedIndex[] {
  const all = [
    ...metadata.indices.map((index) => ({
      ...index,
      unique: index.isUnique,
      type: index.isSpatial ? 'gist' : index.type,
    })),
    ...metadata.uniques.map(({ name, columns }) => ({
      name,
      columns,
      unique: true,
      where: undefined,
      type: undefined,
    })),
  ];
  return all.flatMap(({ name, columns, unique, where, type }) => {
    const properties = [...new Set(columns.map(propertyOf))];
    if (name === undefined || properties.some((property) => !names.has(property))) return [];
    return {
      name,
      properties,
      unique,
      ...(where === undefined ? {} : { where }),
      ...(type === undefined ? {} : { type }),
    };
  });
}

/** A join column without a property of its own stands under the name of its relation. */
function propertyOf(column: ColumnMetadata): string {
  return column.isVirtual && column.relationMetadata !== undefined
    ? column.relationMetadata.propertyPath
    : column.propertyPath;
}
