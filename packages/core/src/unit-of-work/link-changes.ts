/**
 * Pairs that were put into, or taken out of, relations whose keys are in an entity of their own: as rows of a hidden
 * link, or as new entities of a relationship class.
 */
import { InvalidStateError } from '../errors/errors.js';
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { Collection, collectionState } from '../relations/collection.js';
import { containerAt } from '../relations/plain.js';
import { Ref, refState } from '../relations/ref.js';
import type { EntityState } from './entity-state.js';
import { neutralFields } from './reference-key.js';
import type { TrackedEntities } from './tracked-entities.js';

/** A row of a link entity to be there, or not to be there. */
export interface LinkChange {
  readonly link: EntityModel;
  readonly linked: boolean;
  /** Said of what is stored as it is: it only counts against the other side's word. */
  readonly again: boolean;
  /** Turn of the change; both sides may have noted the same pair, and the later one holds. */
  readonly turn: number;
  readonly ends: readonly { readonly state: EntityState; readonly fields: readonly Field[] }[];
}

/** Links with properties of their own that were taken out: their rows have to be found before they can be deleted. */
export interface Unlinked {
  readonly relation: RelationModel;
  readonly owner: EntityState;
  readonly target: EntityState;
}

function linkChange(
  relation: RelationModel,
  owner: EntityState,
  target: EntityState,
  linked: boolean,
  turn: number,
  again = false,
): LinkChange {
  if (relation.join.via !== 'link') throw new TypeError('not a link');
  const { link, ownerFields, targetFields } = relation.join;
  const ends = [
    { state: owner, fields: ownerFields },
    { state: target, fields: targetFields },
  ];
  return { link, linked, again, turn, ends };
}

/** A pair to be there; one that is there already may be stored either way round. */
export function linkChanges(
  relation: RelationModel,
  owner: EntityState,
  target: EntityState,
  turn: number,
  again: boolean,
): LinkChange[] {
  const straight = linkChange(relation, owner, target, true, turn, again);
  return again && isUndirected(relation, owner, target)
    ? [straight, linkChange(relation, target, owner, true, turn, again)]
    : [straight];
}

/** An undirected link may be stored either way round. */
export function unlinkChanges(
  relation: RelationModel,
  owner: EntityState,
  target: EntityState,
  turn: number,
): LinkChange[] {
  const straight = linkChange(relation, owner, target, false, turn);
  return isUndirected(relation, owner, target)
    ? [straight, linkChange(relation, target, owner, false, turn)]
    : [straight];
}

function isUndirected({ join }: RelationModel, owner: EntityState, target: EntityState): boolean {
  return join.via === 'link' && join.direction === 'both' && owner !== target;
}

/**
 * Links that are entities of the application's own. One that is new gets an instance, and the same one however often the
 * changes are gone through.
 */
export class LinkEntities {
  /** New ones by their ends; made when first asked for. */
  #known: Map<string, Map<object, Set<object>>> | undefined;

  constructor(private readonly tracked: TrackedEntities) {}

  make(relation: RelationModel, owner: EntityState, target: EntityState): void {
    if (relation.join.via !== 'link') return;
    const { link, ownerFields, targetFields } = relation.join;
    const [from, to] = [endName(link, ownerFields), endName(link, targetFields)];
    const known = this.#of(link, from, to);
    if (known.get(owner.instance)?.has(target.instance) === true) return;
    this.tracked.create(link, { [from]: owner.instance, [to]: target.instance });
    enter(known, owner.instance, target.instance);
  }

  #of(link: EntityModel, from: string, to: string): Map<object, Set<object>> {
    this.#known ??= new Map();
    const name = `${link.name} ${from} ${to}`;
    let known = this.#known.get(name);
    if (known !== undefined) return known;
    known = new Map();
    this.#known.set(name, known);
    for (const state of this.tracked.fresh) {
      if (state.model !== link) continue;
      const instance = state.instance as Record<string, unknown>;
      const [start, end] = [targetOf(instance[from]), targetOf(instance[to])];
      if (start !== undefined && end !== undefined) enter(known, start, end);
    }
    return known;
  }
}

function targetOf(ref: unknown): object | undefined {
  return ref instanceof Ref ? (refState.target(ref) ?? undefined) : undefined;
}

function enter(known: Map<object, Set<object>>, from: object, to: object): void {
  const ends = known.get(from);
  if (ends === undefined) known.set(from, new Set([to]));
  else ends.add(to);
}

function endName(link: EntityModel, fields: readonly Field[]): string {
  const relation = link.relations.find(
    (r) => r.join.via === 'owner' && r.join.fields.every((f, at) => f === fields[at]),
  );
  if (relation === undefined)
    throw new InvalidStateError(`${link.name} has no reference over ${fields.map((f) => f.name).join(', ')}.`);
  return relation.name;
}

/** Collections of the other side that are loaded learn of what has been written. Gives how to undo it. */
export function reflectLinks(changes: readonly LinkChange[]): () => void {
  const undo: (() => void)[] = [];
  for (const { link, linked, again, ends } of changes.toSorted((a, b) => a.turn - b.turn)) {
    const [first, second] = ends;
    if (again || first === undefined || second === undefined) continue;
    undo.push(reflect(link, first, second, linked), reflect(link, second, first, linked));
  }
  return () => {
    for (const each of undo.reverse()) each();
  };
}

type End = LinkChange['ends'][number];

function reflect(link: EntityModel, here: End, there: End, linked: boolean): () => void {
  const undo: (() => void)[] = [];
  for (const relation of here.state.model.relations) {
    const { join } = relation;
    if (join.via !== 'link' || join.link !== link) continue;
    if (join.direction !== 'both' && join.ownerFields[0] !== here.fields[0]) continue;
    const collection = containerAt(here.state.instance, relation);
    if (collection instanceof Collection) undo.push(collectionState.reflect(collection, there.state.instance, linked));
  }
  return () => {
    for (const each of undo.reverse()) each();
  };
}

/** Identity of a link's row, aligned with `link.ids`; undefined in it where an end is not written yet. */
export function linkRow(change: LinkChange): Row {
  const row: Row = new Array(change.link.fields.length).fill(null);
  for (const { state, fields } of change.ends) {
    const key = neutralFields(state.instance, state, state.model.ids);
    for (const [part, field] of fields.entries()) row[field.index] = key[part];
  }
  return row;
}
