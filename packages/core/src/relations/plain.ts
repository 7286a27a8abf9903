/**
 * Relations of classes that were written for another library: `author: User`, `posts: Post[]`. The instance keeps its
 * containers out of sight, and the property leads to what is in them: the entity or entities where they are loaded, null
 * for no reference, undefined for what is not loaded. What is assigned goes into the container; arrays are handed out as
 * they are, and compared with what they were when the unit of work looks for changes.
 */
import { InvalidValueError } from '../errors/errors.js';
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import type { Value } from '../model/field.js';
import { Collection, collectionState } from './collection.js';
import { RelationContainer } from './container.js';
import { valueAt } from './entity-key.js';
import { type Slots, setSlots, slotOf, slotsOf } from './plain-slots.js';
import { Ref, refState } from './ref.js';
import type { RelationBinding } from './relation-loader.js';

/** The container of a relation of an instance, whatever the property holds. */
export function containerAt(instance: object, relation: RelationModel): unknown {
  if (relation.plain !== true) return (instance as Record<string, unknown>)[relation.name];
  const slots = slotsOf(instance);
  const container = slots?.containers[relation.name] ?? (slots && far(instance, relation, slots));
  if (container instanceof Collection) absorb(container);
  return container;
}

/** The same, where it has been made. */
export function presentAt(instance: object, relation: RelationModel): unknown {
  return relation.plain === true ? slotOf(instance, relation.name) : containerAt(instance, relation);
}

/** Puts a container in its place. `given`: the application's own array, which stays what the property holds. */
export function placeContainer(
  instance: object,
  relation: RelationModel,
  container: object,
  bindings: readonly RelationBinding[],
  given?: unknown,
): void {
  if (relation.plain !== true) {
    (instance as Record<string, unknown>)[relation.name] = container;
    return;
  }
  openSlots(instance, bindings).containers[relation.name] = container;
  if (container instanceof Collection && Array.isArray(given)) lend(container, given as object[]);
}

/** Makes an instance's plain relations lead to containers of these bindings. */
export function openSlots(instance: object, bindings: readonly RelationBinding[]): Slots {
  let slots = slotsOf(instance);
  if (slots === undefined) {
    slots = { bindings, containers: {} };
    setSlots(instance, slots);
    Object.defineProperties(instance, accessorsOf(bindings));
  } else slots.bindings = bindings;
  return slots;
}

/** What a stored owner's row says nothing of: not loaded until it is. */
function far(instance: object, relation: RelationModel, slots: Slots): RelationContainer | undefined {
  const binding = slots.bindings.find((each) => each.relation.name === relation.name);
  if (binding === undefined) return undefined;
  const container: RelationContainer = relation.container === 'ref' ? new Ref() : new Collection();
  RelationContainer.attach(container, instance, binding);
  slots.containers[relation.name] = container;
  return container;
}

/** Takes over what the application did to an array that it was handed. */
export function absorb(container: object): void {
  if (!(container instanceof Collection)) return;
  const loan = loans.get(container);
  if (loan === undefined) return;
  const { array, base } = loan;
  if (array.length !== base.length || array.some((item, at) => item !== base[at])) {
    const before = new Set(base);
    const now = new Set(array);
    const gone = base.filter((item) => !now.has(item));
    const come = array.filter((item) => !before.has(item));
    if (gone.length > 0) container.remove(...gone);
    if (come.length > 0) container.add(...come);
  }
  renew(container, loan);
}

interface Loan {
  readonly array: object[];
  /** What was in it when it was last compared. */
  base: readonly object[];
}

const loans = new WeakMap<Collection<object>, Loan>();

/** Descriptors are shared by all instances of a class, so that these keep one shape. */
const accessors = new WeakMap<EntityModel, PropertyDescriptorMap>();

function accessorsOf(bindings: readonly RelationBinding[]): PropertyDescriptorMap {
  const [first] = bindings;
  if (first === undefined) return {};
  const { owner } = first.relation;
  let known = accessors.get(owner);
  if (known === undefined) {
    known = Object.fromEntries(
      owner.relations.flatMap((relation) => (relation.plain === true ? [[relation.name, accessorOf(relation)]] : [])),
    );
    accessors.set(owner, known);
  }
  return known;
}

function accessorOf(relation: RelationModel): PropertyDescriptor {
  const { name } = relation;
  return {
    configurable: true,
    enumerable: true,
    get(this: object) {
      return held(slotOf(this, name));
    },
    set(this: object, value: unknown) {
      // As with the other library, undefined says nothing of the relation.
      if (value !== undefined) assignPlain(this, relation, containerAt(this, relation), value);
    },
  };
}

function held(container: unknown): unknown {
  if (container instanceof Ref) return refState.target(container);
  if (!(container instanceof Collection)) return undefined;
  absorb(container);
  const items = collectionState.items(container);
  if (items === undefined) return undefined;
  return loans.get(container)?.array ?? lend(container, [...items]);
}

function lend(container: Collection<object>, array: object[]): object[] {
  loans.set(container, { array, base: [...array] });
  RelationContainer.lend(container);
  return array;
}

/** Brings a lent array up to what is in the collection by now. */
function renew(container: Collection<object>, loan: Loan): void {
  const items = collectionState.items(container) ?? loan.array;
  if (
    items !== loan.array &&
    (items.length !== loan.array.length || items.some((item, at) => item !== loan.array[at]))
  ) {
    loan.array.splice(0, loan.array.length, ...items);
  }
  loan.base = [...loan.array];
}

function assignPlain(instance: object, relation: RelationModel, container: unknown, value: unknown): void {
  if (container instanceof Collection) {
    const items: unknown = value ?? [];
    if (!Array.isArray(items)) throw misfit(relation, `an array of ${relation.target.name}`);
    container.set(items as object[]);
    lend(container, items as object[]);
  } else if (container instanceof Ref) {
    if (value === null || value instanceof relation.target.target) container.set(value as object | null);
    else referByKey(instance, relation, container, value);
  }
}

/** `{ id }` in place of an entity, as the other library takes it. */
function referByKey(instance: object, relation: RelationModel, ref: Ref<object>, value: unknown): void {
  const key = relation.join.via === 'owner' ? keyIn(value, relation) : undefined;
  if (key === undefined || relation.join.via !== 'owner') throw misfit(relation, `a ${relation.target.name} or null`);
  refState.refer(ref, key.length === 1 ? key[0] : key);
  for (const [part, field] of relation.join.fields.entries()) {
    if (field.role !== 'reference') (instance as Record<string, unknown>)[field.name] = field.codec.fromRow(key[part]);
  }
}

/** Neutral key in an object that has at least the properties of the key. */
export function keyIn(value: unknown, relation: RelationModel): Value[] | undefined {
  if (typeof value !== 'object' || value === null || relation.join.via !== 'owner') return undefined;
  const parts = relation.join.targetFields.map((field) => {
    const part = valueAt(value, field);
    return part === undefined || part === null ? undefined : field.codec.toRow(part);
  });
  return parts.includes(undefined) ? undefined : parts;
}

function misfit(relation: RelationModel, expected: string): InvalidValueError {
  return new InvalidValueError(`${relation.owner.name}.${relation.name} takes ${expected}.`, {
    entity: relation.owner.name,
    property: relation.name,
  });
}
