/**
 * Compiles the way from a row to an instance. The instance gets fresh objects for everything mutable, so the row itself
 * stays behind as the snapshot that changes are found against; no second copy is made.
 */
import type { EntityClass, EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { Collection, collectionState } from '../relations/collection.js';
import { RelationContainer } from '../relations/container.js';
import { openSlots } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import type { RelationBinding } from '../relations/relation-loader.js';
import { TimeSeries } from '../relations/time-series.js';
import { type EntityShape, fieldsBelow, type ObjectShape, type ReferenceShape } from './shape.js';
import { FunctionSource, member } from './source.js';

/** Bindings are aligned with `model.relations`. */
export type Make = (row: Row, bindings: readonly RelationBinding[]) => object;
export type Fill = (instance: object, row: Row, bindings: readonly RelationBinding[]) => void;

/** A new instance from a row. */
export function compileMake(model: EntityModel, shape: EntityShape): Make {
  const source = new FunctionSource();
  source.line(`const e = ${instantiate(source, model.target)};`);
  emitObject(source, shape, 'e');
  const references = new Map(shape.references.map((reference) => [reference.relation, reference]));
  openPlain(source, shape);
  for (const { relation, at } of shape.relations) {
    const reference = references.get(relation);
    if (relation.plain === true && reference === undefined) continue;
    const made =
      reference === undefined
        ? `${source.constant(makerOf(relation.container))}(e, b[${at}])`
        : `${source.constant(makeRef)}(e, b[${at}], ${keyExpression(reference)})`;
    source.line(`${placeOf(relation)} = ${made};`);
  }
  source.line('return e;');
  return source.compile<Make>(['row', 'b']);
}

/** Overwrites an instance with a row. References to what they were keep their loaded entity. */
export function compileFill(shape: EntityShape): Fill {
  const source = new FunctionSource();
  emitObject(source, shape, 'e');
  openPlain(source, shape);
  for (const reference of shape.references) {
    const { relation, at } = reference;
    const refer = source.constant(referAgain);
    const key = keyExpression(reference);
    source.line(`${placeOf(relation)} = ${refer}(e, b[${at}], ${placeOf(relation)}, ${key});`);
  }
  return source.compile<Fill>(['e', 'row', 'b']);
}

/** Containers of plain relations are beside the instance; those of the far side are made when they are asked for. */
function openPlain(source: FunctionSource, shape: EntityShape): void {
  if (shape.relations.some(({ relation }) => relation.plain === true)) {
    source.line(`const s = ${source.constant(openSlots)}(e, b).containers;`);
  }
}

function placeOf(relation: RelationModel): string {
  return member(relation.plain === true ? 's' : 'e', relation.name);
}

function emitObject(source: FunctionSource, shape: ObjectShape, target: string): void {
  for (const { name, field } of shape.leaves) source.line(`${member(target, name)} = ${readValue(source, field)};`);
  for (const { name, embedded, shape: inner } of shape.objects) {
    const local = source.local();
    const place = member(target, name);
    const nullable = embedded?.nullable === true;
    if (nullable) {
      const absent = fieldsBelow(inner).map((field) => `row[${field.index}] === null`);
      source.line(`if (${absent.join(' && ')}) ${place} = null; else {`);
    } else source.line('{');
    source.line(`const ${local} = ${embedded?.target === undefined ? '{}' : instantiate(source, embedded.target)};`);
    emitObject(source, inner, local);
    source.line(`${place} = ${local};`);
    source.line('}');
  }
}

function readValue(source: FunctionSource, field: Field): string {
  const value = `row[${field.index}]`;
  if (field.codec.identity) return value;
  return `${value} === null ? null : ${source.constant(field.codec)}.fromRow(${value})`;
}

/** A class whose constructor takes nothing is constructed, so that its own initialisers run; any other is not. */
export function instantiate(source: FunctionSource, target: EntityClass): string {
  const constant = source.constant(target);
  return target.length === 0 ? `new ${constant}()` : `Object.create(${constant}.prototype)`;
}

/** Neutral key of a reference: the value, a row for a composite one, null where a part is absent. */
function keyExpression(reference: ReferenceShape): string {
  const values = reference.fields.map((field) => `row[${field.index}]`);
  const [single] = values;
  if (values.length === 1 && single !== undefined) return single;
  const absent = values.map((value) => `${value} === null`).join(' || ');
  return `(${absent}) ? null : [${values.join(', ')}]`;
}

function makeRef(owner: object, binding: RelationBinding, key: unknown): Ref<object> {
  const ref = new Ref<object>();
  RelationContainer.attach(ref, owner, binding);
  refState.refer(ref, key);
  return ref;
}

function referAgain(owner: object, binding: RelationBinding, present: unknown, key: unknown): Ref<object> {
  if (!(present instanceof Ref)) return makeRef(owner, binding, key);
  RelationContainer.attach(present, owner, binding);
  const known = refState.key(present);
  const same = Array.isArray(key) && Array.isArray(known) ? key.every((part, at) => part === known[at]) : key === known;
  if (!same) refState.refer(present, key);
  return present;
}

function makerOf(kind: 'ref' | 'collection' | 'series'): (owner: object, binding: RelationBinding) => object {
  return kind === 'ref' ? farRef : kind === 'collection' ? emptyCollection : emptySeries;
}

function farRef(owner: object, binding: RelationBinding): Ref<object> {
  const ref = new Ref<object>();
  RelationContainer.attach(ref, owner, binding);
  return ref;
}

function emptyCollection(owner: object, binding: RelationBinding): Collection<object> {
  const collection = new Collection<object>();
  RelationContainer.attach(collection, owner, binding);
  return collection;
}

function emptySeries(owner: object, binding: RelationBinding): TimeSeries<object> {
  const series = new TimeSeries<object>();
  RelationContainer.attach(series, owner, binding);
  return series;
}

/** A container of a stored owner, with nothing loaded. */
export function emptyContainer(owner: object, binding: RelationBinding): object {
  return makerOf(binding.relation.container)(owner, binding);
}

/** An empty container for a relation of a new owner: nothing of it can be stored yet. */
export function newContainer(owner: object, binding: RelationBinding): RelationContainer {
  const { relation } = binding;
  if (relation.container === 'series') return emptySeries(owner, binding);
  if (relation.container === 'collection') {
    const collection = emptyCollection(owner, binding);
    collectionState.initialize(collection);
    return collection;
  }
  return makeRef(owner, binding, null);
}
