/** Entities written out by hand, as the metadata room would compile them, for the tests of this package and its neighbours. */
import type { DataModel, EntityModel, Field, FieldType, IndexModel, RelationModel } from '@storeweave/core';

export type FieldSpec = Partial<Omit<Field, 'name' | 'type'>> & { readonly type: FieldType };

const sameCodec: Field['codec'] = {
  toRow: (value) => value,
  fromRow: (value) => value,
  equals: Object.is,
  identity: true,
};

export function sampleField(name: string, index: number, spec: FieldSpec): Field {
  return {
    name,
    path: name.split('.'),
    column: name.replace('.', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    index,
    role: 'property',
    array: false,
    nullable: false,
    unique: false,
    id: false,
    timePrecision: 'ms',
    codec: sameCodec,
    ...spec,
  };
}

export interface EntitySpec {
  readonly fields: Readonly<Record<string, FieldSpec>>;
  readonly indexes?: (field: (name: string) => Field) => IndexModel[];
  readonly version?: string;
  readonly model?: DataModel;
  readonly source?: string;
  readonly namespace?: string;
}

/** An entity; `relate` adds relations afterwards, because they refer to each other. */
export function sampleEntity(name: string, spec: EntitySpec): EntityModel {
  const fields = Object.entries(spec.fields).map(([each, field], index) => sampleField(each, index, field));
  const fieldsByName = new Map(fields.map((field) => [field.name, field]));
  const byName = (each: string): Field => {
    const field = fieldsByName.get(each);
    if (field === undefined) throw new Error(`No field ${each}`);
    return field;
  };
  return {
    name,
    target: class {} as never,
    model: spec.model ?? 'relational',
    kind: 'relational',
    store: 'relational',
    source: spec.source ?? `${name.toLowerCase()}s`,
    namespace: spec.namespace,
    fields,
    fieldsByName,
    ids: fields.filter((field) => field.id),
    embeddeds: [],
    relations: [],
    relationsByName: new Map(),
    indexes: spec.indexes?.(byName) ?? [],
    version: spec.version === undefined ? undefined : byName(spec.version),
    hooks: new Map(),
    annotations: new Map(),
  };
}

/** A many-to-one relation over the field of the same name. */
export function relate(
  owner: EntityModel,
  name: string,
  target: EntityModel,
  more: Partial<RelationModel> = {},
): RelationModel {
  const field = owner.fieldsByName.get(name);
  const relation: RelationModel = {
    name,
    kind: 'many-to-one',
    container: 'ref',
    owner,
    target,
    join: { via: 'owner', fields: field === undefined ? [] : [field], targetFields: target.ids },
    nullable: field?.nullable ?? true,
    cascade: { persist: true, remove: false },
    orphanRemoval: false,
    ...more,
  };
  (owner.relations as RelationModel[]).push(relation);
  (owner.relationsByName as Map<string, RelationModel>).set(name, relation);
  return relation;
}
