/**
 * What a unit of work can do: one operation, or none, on the one key of the coordinator (A), on the one key of the
 * fencing participant (B), and a point in the append-only participant (C). Two units on the same keys are where a commit
 * protocol breaks; units on other keys only take turns.
 */

/** `increment` has no guard of its own; `reinsert` is delete and insert in one unit; `fresh` inserts under a new UUID. */
export type Operation = 'none' | 'insert' | 'update' | 'delete' | 'reinsert' | 'increment' | 'guard' | 'fresh';

export interface Kind {
  readonly name: string;
  readonly a: Operation;
  readonly b: Operation;
  /** `rewrite` changes a point that is there: refused by the protocol, modelled for the mistake of allowing it. */
  readonly c: 'none' | 'point' | 'rewrite';
  /** More than one participant takes part, so there is a journal row. */
  readonly several: boolean;
  /** It puts a fence on B. */
  readonly fences: boolean;
}

export function kind(a: Operation, b: Operation = 'none', c: Kind['c'] = 'none'): Kind {
  const parts = [a === 'none' ? '' : `A.${a}`, b === 'none' ? '' : `B.${b}`, c === 'none' ? '' : `C.${c}`];
  const taking = parts.filter((part) => part !== '');
  // With B and C alone the coordinator still has the journal row.
  const several = taking.length > 1;
  return { name: taking.join('+'), a, b, c, several, fences: several && b !== 'none' && b !== 'fresh' };
}

const ofA: readonly Operation[] = ['insert', 'update', 'delete', 'reinsert', 'increment', 'guard'];
const ofB: readonly Operation[] = ['insert', 'update', 'delete', 'reinsert', 'increment', 'guard', 'fresh'];
const oneStore = (operation: Operation): boolean => operation !== 'guard' && operation !== 'fresh';

/** Every kind; a point beside operations on both other stores only with `update`, since C meets nobody. */
export const ALL_KINDS: readonly Kind[] = [
  ...ofA.filter(oneStore).map((a) => kind(a)),
  ...ofB.filter(oneStore).map((b) => kind('none', b)),
  ...ofA.flatMap((a) => ofB.map((b) => kind(a, b))),
  ...ofB.map((b) => kind('none', b, 'point')),
  kind('update', 'none', 'point'),
  kind('update', 'update', 'point'),
];

/** Those of the short run: each operation on B once with the coordinator, and the one-store writers. */
export const SHORT_KINDS: readonly Kind[] = [
  kind('update'),
  kind('none', 'update'),
  kind('none', 'delete'),
  kind('none', 'increment'),
  kind('insert', 'insert'),
  kind('update', 'update'),
  kind('delete', 'delete'),
  kind('update', 'reinsert'),
  kind('increment', 'increment'),
  kind('guard', 'update'),
  kind('update', 'guard'),
  kind('update', 'fresh'),
  kind('none', 'update', 'point'),
];

/** Whether the keys are there at the start. */
export interface Start {
  readonly a: boolean;
  readonly b: boolean;
}

const wants = (operation: Operation, there: boolean): boolean =>
  operation === 'none' || there === !(operation === 'insert' || operation === 'fresh');

/**
 * The starts worth walking: those from which at least one of the units can succeed. A new UUID is nobody else's key to
 * insert, so a fresh insert beside another insert of the same key has none.
 */
export function startsOf(kinds: readonly Kind[]): Start[] {
  const fresh = kinds.filter((each) => each.b === 'fresh').length;
  const inserts = kinds.filter((each) => each.b === 'insert').length;
  if (fresh > 1 || (fresh === 1 && inserts > 0)) return [];
  const starts: Start[] = [];
  for (const a of kinds.some((each) => each.a !== 'none') ? [true, false] : [true])
    for (const b of kinds.some((each) => each.b !== 'none') ? [true, false] : [true])
      if (!(fresh > 0 && b) && kinds.some((each) => wants(each.a, a) && wants(each.b, b))) starts.push({ a, b });
  return starts;
}
