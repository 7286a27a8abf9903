/**
 * The flat fields of an entity as the tree that its class is: properties, embedded objects with their leaves, and
 * references. Code generation walks this and nothing else.
 */
import type { EmbeddedModel, EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';

export interface ObjectShape {
  readonly leaves: { readonly name: string; readonly field: Field }[];
  readonly objects: {
    readonly name: string;
    readonly embedded: EmbeddedModel | undefined;
    readonly shape: ObjectShape;
  }[];
}

export interface EntityShape extends ObjectShape {
  /** To-one relations whose key is in this entity's row, with the positions of that key. */
  readonly references: readonly ReferenceShape[];
  /** Every relation, with its position in `model.relations`. */
  readonly relations: readonly { readonly relation: RelationModel; readonly at: number }[];
}

export interface ReferenceShape {
  readonly relation: RelationModel;
  readonly at: number;
  readonly fields: readonly Field[];
  /** False where the key is kept in properties that the class has anyway. */
  readonly hidden: boolean;
}

export function shapeOf(model: EntityModel): EntityShape {
  const root: ObjectShape = { leaves: [], objects: [] };
  const embeddeds = new Map(model.embeddeds.map((embedded) => [embedded.name, embedded]));
  for (const field of model.fields) {
    if (field.role === 'reference') continue;
    let node = root;
    for (let depth = 1; depth < field.path.length; depth++) {
      const path = field.path.slice(0, depth);
      const name = path[depth - 1] ?? '';
      let next = node.objects.find((object) => object.name === name);
      if (next === undefined) {
        next = { name, embedded: embeddeds.get(path.join('.')), shape: { leaves: [], objects: [] } };
        node.objects.push(next);
      }
      node = next.shape;
    }
    node.leaves.push({ name: field.path[field.path.length - 1] ?? field.name, field });
  }
  const relations = model.relations.map((relation, at) => ({ relation, at }));
  const references = relations.flatMap(({ relation, at }) =>
    relation.join.via === 'owner'
      ? [
          {
            relation,
            at,
            fields: relation.join.fields,
            hidden: relation.join.fields.every((f) => f.role === 'reference'),
          },
        ]
      : [],
  );
  return { ...root, references, relations };
}

/** Every field below an object, depth first. */
export function fieldsBelow(shape: ObjectShape): Field[] {
  return [...shape.leaves.map((leaf) => leaf.field), ...shape.objects.flatMap((object) => fieldsBelow(object.shape))];
}
