/**
 * What the writers and readers of lists were told, and the check that there is one order of all appends of a key that
 * explains it: nothing lost, nothing twice, nothing out of turn. Times are of one clock for all processes of a machine.
 */

/** A list: a key on a side. */
export type ListName = string;

/** One attempt to append a token to one or more lists. */
export interface Append {
  readonly token: string;
  readonly began: number;
  /** What it read of each list before it appended. */
  readonly reads: Readonly<Record<ListName, readonly string[]>>;
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  /** When it was told; absent where it never was. */
  readonly ended?: number;
  /** Told that it is written everywhere. */
  readonly isApplied: boolean;
}

/** A look at one list. */
export interface Look {
  readonly list: ListName;
  readonly began: number;
  readonly tokens: readonly string[];
}

export interface History {
  readonly appends: readonly Append[];
  readonly looks: readonly Look[];
  /** The lists at the end, once everything is quiet. */
  readonly lists: Readonly<Record<ListName, readonly string[]>>;
}

/** A sentence for each thing that no order explains. */
export function checkHistory({ appends, looks, lists }: History): string[] {
  const problems: string[] = [];
  const byToken = new Map(appends.map((append) => [append.token, append]));
  for (const [name, tokens] of Object.entries(lists)) {
    if (new Set(tokens).size < tokens.length) problems.push(`${name} has a token twice: ${tokens}`);
    for (const token of tokens) {
      if (byToken.get(token)?.reads[name] === undefined)
        problems.push(`${name} has ${token}, which nobody appended to it`);
    }
    problems.push(...checkOrder(name, tokens, byToken));
    const own = looks.filter(({ list }) => list === name);
    problems.push(...own.flatMap((look) => checkLook(look, tokens, byToken)));
  }
  for (const append of appends) problems.push(...checkAppend(append, lists));
  problems.push(...checkAgreement(appends, lists));
  return problems;
}

/** An append is in all of its lists or in none, as it was told, right after what it read. */
function checkAppend({ token, reads, outcome }: Append, lists: History['lists']): string[] {
  const problems: string[] = [];
  const names = Object.keys(reads);
  const there = names.filter((name) => lists[name]?.includes(token) === true);
  if (there.length > 0 && there.length < names.length) problems.push(`${token} is in ${there} only, of ${names}`);
  if (outcome === 'acknowledged' && there.length < names.length) problems.push(`${token} was acknowledged and is lost`);
  if (outcome === 'refused' && there.length > 0) problems.push(`${token} was refused and is in ${there}`);
  for (const name of there) {
    const before = lists[name]?.slice(0, lists[name].indexOf(token)) ?? [];
    if (before.join() !== reads[name]?.join())
      problems.push(`${token} was appended to ${name} after ${reads[name]}, and stands after ${before}`);
  }
  return problems;
}

/** What was acknowledged before another began stands before it: for each writer's own appends and for all of them. */
function checkOrder(name: ListName, tokens: readonly string[], byToken: ReadonlyMap<string, Append>): string[] {
  const problems: string[] = [];
  // Going backwards, the earliest end of what stands later.
  let earliest: Append | undefined;
  for (const token of [...tokens].reverse()) {
    const append = byToken.get(token);
    if (append === undefined) continue;
    if (earliest?.ended !== undefined && append.began > earliest.ended)
      problems.push(`${name}: ${token} began after ${earliest.token} was acknowledged, and stands before it`);
    if (append.ended !== undefined && append.ended < (earliest?.ended ?? Number.POSITIVE_INFINITY)) earliest = append;
  }
  return problems;
}

/** A look sees a beginning of the list, and in it everything that was applied before it. */
function checkLook(look: Look, tokens: readonly string[], byToken: ReadonlyMap<string, Append>): string[] {
  const { list, tokens: seen, began } = look;
  if (tokens.slice(0, seen.length).join() !== seen.join())
    return [`${list} was seen as ${seen}, and came to be ${tokens}`];
  const missed = tokens.slice(seen.length).filter((token) => {
    const append = byToken.get(token);
    return append?.isApplied === true && append.ended !== undefined && append.ended < began;
  });
  return missed.map((token) => `${list} was seen without ${token}, which was applied before`);
}

/** Two appends that meet in two lists stand in one order in both. */
function checkAgreement(appends: readonly Append[], lists: History['lists']): string[] {
  const problems: string[] = [];
  const places = new Map(
    Object.entries(lists).map(([name, tokens]) => [name, new Map(tokens.map((each, at) => [each, at]))]),
  );
  const shared = appends.filter(({ reads }) => Object.keys(reads).length > 1);
  for (const [at, one] of shared.entries()) {
    for (const other of shared.slice(at + 1)) {
      const orders = Object.keys(one.reads).flatMap((name) => {
        const [first, second] = [places.get(name)?.get(one.token), places.get(name)?.get(other.token)];
        return first === undefined || second === undefined ? [] : [first < second];
      });
      if (new Set(orders).size > 1) problems.push(`${one.token} and ${other.token} stand in different orders`);
    }
  }
  return problems;
}
