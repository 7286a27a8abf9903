/**
 * From entities to labels, relationship types and properties, and how such a name is written into a statement. It is
 * the one place where a name becomes text: quoted, with whatever could end the quotes or be decoded into their end.
 */
import { ConfigurationError, type EntityModel, type Field } from '@storeweave/core';

/** A name as an identifier of Cypher. */
export function quote(name: string): string {
  if (name === '') throw new ConfigurationError('A label, type or property of Neo4j cannot have an empty name.');
  // Cypher 5 decodes \uXXXX before it parses, also between backticks: \u0060 would end the name.
  return `\`${name.replaceAll('\\u', '\\u005Cu').replaceAll('`', '``')}\``;
}

/** Where a field of an entity is kept. Keys of a relationship's ends are not copied: they are ids of the nodes there. */
export interface FieldPlace {
  readonly on: 'self' | 'from' | 'to';
  readonly property: string;
}

export interface EndShape {
  readonly entity: EntityModel;
  readonly label: string;
  /** Fields of the relationship that name this end, and the properties of the node there, pairwise. */
  readonly fields: readonly Field[];
  readonly properties: readonly string[];
  /** The entity lives in another store: its nodes hold a key and nothing else. */
  readonly isReference: boolean;
}

/** An entity as the graph has it. */
export interface Shape {
  readonly entity: EntityModel;
  /** Label of its nodes, or type of its relationships; not quoted. */
  readonly source: string;
  /** Present for relationships. */
  readonly ends?: { readonly from: EndShape; readonly to: EndShape };
  /** A relationship without a key of its own: there is at most one between two nodes. */
  readonly isPair: boolean;
  readonly places: ReadonlyMap<Field, FieldPlace>;
  /** Fields that are properties of the node or relationship itself. */
  readonly own: readonly Field[];
}

export interface UniqueRule {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** The shapes of all entities of a store. */
export class GraphNames {
  readonly #entities = new Set<EntityModel>();
  #shapes = new Map<EntityModel, Shape>();
  #isFenced = false;

  constructor(readonly prefix: string) {}

  /** Label of the nodes that count for ids made by the store. */
  get sequenceLabel(): string {
    return `${this.prefix}StoreweaveSequence`;
  }

  /** Label of the nodes that relationships hang on which only reserve a value. */
  get reservationLabel(): string {
    return `${this.prefix}StoreweaveReservation`;
  }

  /** True where units of work may put fences on what is here (`fences/marks.ts`). */
  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** Takes the entities of one `open()`. Throws `ConfigurationError` for two that would share a label. */
  add(entities: readonly EntityModel[], isFenced = false): void {
    this.#isFenced ||= isFenced;
    for (const entity of entities) this.#entities.add(entity);
    this.#shapes = new Map();
    this.#refuseShared('label', [...this.nodes, ...this.references]);
    this.#refuseShared('relationship type', this.relationships);
  }

  get all(): readonly EntityModel[] {
    return [...this.#entities];
  }

  get nodes(): readonly EntityModel[] {
    return this.all.filter((entity) => entity.endpoints === undefined);
  }

  get relationships(): readonly EntityModel[] {
    return this.all.filter((entity) => entity.endpoints !== undefined);
  }

  /** Entities of other stores at which relationships of this one start or end. */
  get references(): readonly EntityModel[] {
    const ends = this.relationships.flatMap(({ endpoints }) =>
      endpoints === undefined ? [] : [endpoints.from.entity, endpoints.to.entity],
    );
    return [...new Set(ends)].filter((entity) => !this.isHere(entity));
  }

  isHere(entity: EntityModel): boolean {
    return this.#entities.has(entity);
  }

  /** Label of an entity's nodes; that of a reference is the name of its class. */
  label(entity: EntityModel): string {
    return this.prefix + (this.isHere(entity) ? entity.source : entity.name);
  }

  /** Unique constraints of an entity, the longer ones first. */
  uniqueRules(entity: EntityModel): readonly UniqueRule[] {
    const rules: UniqueRule[] = entity.indexes
      .filter((index) => index.unique)
      .map((index) => ({ name: this.prefix + index.name, fields: index.fields }));
    // That of two nodes and no more between them is no constraint, but how such a relationship is made.
    if (!this.shape(entity).isPair) rules.unshift({ name: `${this.label(entity)}_pkey`, fields: entity.ids });
    return rules.sort((a, b) => b.fields.length - a.fields.length);
  }

  shape(entity: EntityModel): Shape {
    let shape = this.#shapes.get(entity);
    if (shape === undefined) {
      shape = this.#makeShape(entity);
      this.#shapes.set(entity, shape);
    }
    return shape;
  }

  #refuseShared(what: string, entities: readonly EntityModel[]): void {
    const owners = new Map<string, EntityModel>();
    for (const entity of entities) {
      const owner = owners.get(this.label(entity));
      if (owner !== undefined && owner !== entity)
        throw new ConfigurationError(
          `${owner.name} and ${entity.name} would both have the ${what} "${this.label(entity)}" in Neo4j. Give one of the two another.`,
          { entity: entity.name },
        );
      owners.set(this.label(entity), entity);
    }
  }

  #makeShape(entity: EntityModel): Shape {
    const places = new Map<Field, FieldPlace>();
    const { endpoints } = entity;
    for (const field of entity.fields) places.set(field, { on: 'self', property: field.column });
    const end = (on: 'from' | 'to', target: EntityModel, fields: readonly Field[]): EndShape => {
      const properties = target.ids.map((id) => id.column);
      for (const [i, field] of fields.entries()) places.set(field, { on, property: properties[i] ?? '' });
      return { entity: target, label: this.label(target), fields, properties, isReference: !this.isHere(target) };
    };
    const ends = endpoints && {
      from: end('from', endpoints.from.entity, endpoints.from.fields),
      to: end('to', endpoints.to.entity, endpoints.to.fields),
    };
    return {
      entity,
      source: this.prefix + entity.source,
      ...(ends && { ends }),
      isPair: ends !== undefined && entity.ids.every((id) => places.get(id)?.on !== 'self'),
      places,
      own: entity.fields.filter((field) => places.get(field)?.on === 'self'),
    };
  }
}
