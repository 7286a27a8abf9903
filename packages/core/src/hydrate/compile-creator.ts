/**
 * Compiles how a class's properties get their first values: from what the caller gave, else from the declared default,
 * else (an id made by the application) a new UUIDv7, else null where that is allowed. Relations are not its concern.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import { instantiate } from './compile-hydrator.js';
import type { EntityShape, ObjectShape } from './shape.js';
import { FunctionSource, member } from './source.js';
import { timeOrderedId } from './time-ordered-id.js';

/** A new instance with these values. Properties that the entity does not declare are taken over as they are. */
export type Create = (data: object) => object;
/** Gives an instance that the application constructed what it has no value for. */
export type Complete = (instance: object) => void;

export function compileCreate(model: EntityModel, shape: EntityShape): Create {
  const source = new FunctionSource();
  source.line(`const e = ${instantiate(source, model.target)};`);
  emitValues(source, model, shape, 'e', 'd');
  const relations = source.constant(new Set(model.relations.map((relation) => relation.name)));
  source.line(`for (const k in d) if (!(k in e) && !${relations}.has(k)) e[k] = d[k];`);
  source.line('return e;');
  return source.compile<Create>(['d']);
}

export function compileComplete(model: EntityModel, shape: EntityShape): Complete {
  const source = new FunctionSource();
  emitValues(source, model, shape, 'e', 'e');
  return source.compile<Complete>(['e']);
}

function emitValues(source: FunctionSource, model: EntityModel, shape: ObjectShape, to: string, from: string): void {
  for (const { name, field } of shape.leaves) {
    const local = source.local();
    source.line(`const ${local} = ${member(from, name)};`);
    const start = firstValue(source, model, field);
    const place = member(to, name);
    if (to !== from) source.line(`if (${local} !== undefined) ${place} = ${local};`);
    if (start !== undefined)
      source.line(`${to === from ? '' : 'else '}if (${place} === undefined) ${place} = ${start};`);
  }
  for (const { name, embedded, shape: inner } of shape.objects) {
    const data = source.local();
    const object = source.local();
    const place = member(to, name);
    source.line(`const ${data} = ${member(from, name)};`);
    source.line(`if (${data} === null) ${place} = null; else if (${data} !== undefined) {`);
    // What already is an instance is taken as it is; plain data becomes one.
    const target = embedded?.target;
    const fits = target === undefined ? 'true' : `${data} instanceof ${source.constant(target)}`;
    source.line(
      `const ${object} = ${fits} ? ${data} : Object.assign(${target === undefined ? '{}' : instantiate(source, target)}, ${data});`,
    );
    emitValues(source, model, inner, object, object);
    source.line(`${place} = ${object};`);
    source.line(`} else if (${place} === undefined) {`);
    if (embedded?.nullable === true) source.line(`${place} = null;`);
    else if (embedded?.implied === true && embedded.target !== undefined) {
      const made = source.local();
      source.line(`const ${made} = ${instantiate(source, embedded.target)};`);
      emitValues(source, model, inner, made, made);
      source.line(`${place} = ${made};`);
    }
    source.line('}');
  }
}

/** Expression for a field without a value; undefined to leave it without. */
function firstValue(source: FunctionSource, model: EntityModel, field: Field): string | undefined {
  if (field.default?.kind === 'factory') return `${source.constant(field.default.make)}()`;
  if (field.default?.kind === 'value') {
    const value = source.constant(field.default.value);
    return field.codec.identity || field.default.value === null
      ? value
      : `${source.constant(field.codec)}.fromRow(${value})`;
  }
  if (field.generated === 'uuid') return `${source.constant(timeOrderedId)}()`;
  if (field.generated === 'store') return undefined;
  const managed = field === model.version || field === model.createdAt || field === model.updatedAt;
  return field.nullable && !managed && !field.id ? 'null' : undefined;
}
