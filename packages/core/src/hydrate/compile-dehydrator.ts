/**
 * Compiles the way from an instance to a row, and the comparison of an instance with the row it came from. The comparison
 * is the hot path of a commit: most entities are unchanged, and for those it makes nothing but the neutral form of
 * mutable values.
 */
import { InvalidStateError, NotNullViolationError } from '../errors/errors.js';
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import { type Codec, type Field, isMadeByStore, type Row, type Value } from '../model/field.js';
import { Collection } from '../relations/collection.js';
import { keyOfInstance } from '../relations/entity-key.js';
import { containerAt } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import { TimeSeries } from '../relations/time-series.js';
import type { EntityShape, ObjectShape } from './shape.js';
import { FunctionSource, member } from './source.js';

/** Neutral key of an entity that a reference holds; undefined where it is made by the store and not known yet. */
export type KeyOfTarget = (target: object, relation: RelationModel) => Value | readonly Value[] | undefined;

/** A whole row; `undefined` only for the key of a reference, and ids, that are not known yet. */
export type Dehydrate = (instance: object, keyOf: KeyOfTarget) => Row;
/** Changed fields only, `undefined` elsewhere; or undefined if nothing changed. */
export type Diff = (instance: object, row: Row, keyOf: KeyOfTarget) => Row | undefined;

export function compileDehydrate(model: EntityModel, shape: EntityShape): Dehydrate {
  const source = new FunctionSource();
  source.line(`const row = new Array(${model.fields.length}).fill(null);`);
  emitLeaves(source, shape, 'e', (field, place) => {
    const local = source.local();
    source.line(`const ${local} = ${place};`);
    // Of a property with a default of the store's own, an explicit null is a value where null is allowed.
    const isValue = field.generated === 'store' && field.nullable;
    const absent = isValue ? local : isMadeByStore(field) ? 'undefined' : 'null';
    const codec = source.constant(field.codec);
    source.line(
      `row[${field.index}] = ${local} === undefined || ${local} === null ? ${absent} : ${codec}.toRow(${local});`,
    );
  });
  emitReferences(source, shape, (field, key) => source.line(`row[${field.index}] = ${key};`));
  source.line('return row;');
  return source.compile<Dehydrate>(['e', 'keyOf']);
}

export function compileDiff(model: EntityModel, shape: EntityShape): Diff {
  const source = new FunctionSource();
  const changed = (field: Field, value: string) =>
    `(out ??= new Array(${model.fields.length}).fill(undefined))[${field.index}] = ${value};`;
  source.line('let out;');
  emitLeaves(source, shape, 'e', (field, place) => {
    const old = `row[${field.index}]`;
    const local = source.local();
    source.line(`let ${local} = ${place};`);
    source.line(`if (${local} === undefined) ${local} = null;`);
    if (field.codec.identity) source.line(`if (${local} !== ${old}) {`);
    else source.line(`if (${local} !== null || ${old} !== null) {`);
    const codec = source.constant(field.codec);
    source.line(`if (${local} !== null) ${local} = ${codec}.toRow(${local});`);
    source.line(`if (${source.constant(differs)}(${codec}, ${local}, ${old})) ${changed(field, local)}`);
    source.line('}');
  });
  for (const { relation } of shape.relations) {
    if (relation.plain === true) continue;
    const fits = `${containerOf(source, relation)} instanceof ${source.constant(CONTAINERS[relation.container])}`;
    source.line(`if (!(${fits})) throw ${source.constant(overwritten)}(${source.constant(relation)});`);
  }
  emitReferences(source, shape, (field, key) => {
    source.line(`if (${source.constant(keyDiffers)}(${source.constant(field.codec)}, ${key}, row[${field.index}]))`);
    source.line(`${changed(field, `${key} === undefined ? ${source.constant(PENDING_KEY)} : ${key}`)}`);
  });
  source.line('return out;');
  return source.compile<Diff>(['e', 'row', 'keyOf']);
}

/** In a diff: the reference changed to an entity whose key the store has yet to make. */
export const PENDING_KEY: unique symbol = Symbol('storeweave.pendingKey');

/** Throws if a required field of a new row has no value. Keys that a store makes, or has yet to make, may be undefined. */
export function checkRequired(model: EntityModel, row: Row, instance: object): void {
  for (const field of model.fields) {
    if (row[field.index] !== null || field.nullable) continue;
    throw new NotNullViolationError(
      `${model.name}.${field.name} has no value. Give it one before the commit, or declare it nullable or with a default.`,
      { entity: model.name, property: field.name, key: keyOfInstance(model, instance), store: model.store },
    );
  }
}

function emitLeaves(
  source: FunctionSource,
  shape: ObjectShape,
  target: string,
  emit: (field: Field, place: string) => void,
): void {
  for (const { name, field } of shape.leaves) emit(field, member(target, name));
  for (const { name, shape: inner } of shape.objects) {
    const local = source.local();
    source.line(`const ${local} = ${member(target, name)} ?? ${source.constant(NOTHING)};`);
    emitLeaves(source, inner, local, emit);
  }
}

function emitReferences(source: FunctionSource, shape: EntityShape, emit: (field: Field, key: string) => void): void {
  for (const { relation, fields, hidden } of shape.references) {
    if (!hidden) continue;
    const local = source.local();
    const key = source.constant(keyOfRef);
    source.line(
      `const ${local} = ${key}(${containerOf(source, relation)}, ${source.constant(relation)}, keyOf, ${fields.length});`,
    );
    for (const [part, field] of fields.entries()) {
      emit(
        field,
        fields.length === 1 ? local : `(${local} === null || ${local} === undefined ? ${local} : ${local}[${part}])`,
      );
    }
  }
}

/** Expression of a relation's container. */
function containerOf(source: FunctionSource, relation: RelationModel): string {
  if (relation.plain !== true) return member('e', relation.name);
  return `${source.constant(containerAt)}(e, ${source.constant(relation)})`;
}

function keyOfRef(ref: unknown, relation: RelationModel, keyOf: KeyOfTarget): Value | readonly Value[] | undefined {
  if (!(ref instanceof Ref)) return null;
  const key = refState.key(ref);
  if (key !== undefined) return key;
  const target = refState.target(ref);
  if (target === undefined || target === null) return null;
  return keyOf(target, relation);
}

const CONTAINERS = { ref: Ref, collection: Collection, series: TimeSeries } as const;

function overwritten(relation: RelationModel): InvalidStateError {
  const name = `${relation.owner.name}.${relation.name}`;
  return new InvalidStateError(
    `${name} holds no ${CONTAINERS[relation.container].name} any more: it was overwritten. Change a relation through its container (set, add, remove) and leave the property itself alone.`,
    { entity: relation.owner.name, property: relation.name },
  );
}

function differs(codec: Codec, now: Value, before: Value): boolean {
  if (now === null || before === null) return now !== before;
  return !codec.equals(now, before);
}

function keyDiffers(codec: Codec, now: Value | undefined, before: Value): boolean {
  if (now === before) return false;
  if (now === undefined || now === null || before === null) return true;
  return !codec.equals(now, before);
}

const NOTHING: object = Object.freeze({});
