/** Several units of work applied together: one that fails, or a store that is down, and what that means for the others. */
import { describe, expect, it } from 'vitest';
import { ConnectionError, TimeoutError, UniqueViolationError } from '../../errors/errors.js';
import type { CommitParticipant, UnitPart } from '../../store/commit.js';
import type { Store } from '../../store/store.js';
import { applyTogether } from './together.js';
import type { Participation } from './topology.js';

const units = (n: number): UnitPart[] =>
  Array.from({ length: n }, (_, at) => ({ owner: { unitOfWork: `u${at}`, coordinator: 'c' }, batches: [] }));

/** A store that takes what `refuses` lets it, and counts its calls. */
function taking(refuses: (names: readonly string[]) => Error | undefined, isMany = true) {
  const applied = new Set<string>();
  const calls: number[] = [];
  const take = async (some: readonly UnitPart[]) => {
    const names = some.map(({ owner }) => owner.unitOfWork);
    calls.push(names.length);
    const refusal = refuses(names);
    if (refusal !== undefined) throw refusal;
    for (const name of names) applied.add(name);
  };
  const participant: CommitParticipant = {
    apply: (owner, batches) => take([{ owner, batches }]),
    ...(isMany && { applyMany: take }),
  };
  const participation: Participation = { name: 's', store: {} as Store, participant, kind: 'fence' };
  return { participation, applied, calls };
}

describe('applying together', () => {
  it('takes one call for many, and one for each where a store has no other', async () => {
    for (const isMany of [true, false]) {
      const { participation, applied, calls } = taking(() => undefined, isMany);
      const outcomes = await applyTogether(participation, units(40), {});
      expect(outcomes.map(({ status }) => status)).toEqual(Array(40).fill('fulfilled'));
      expect([applied.size, calls.length]).toEqual([40, isMany ? 1 : 40]);
    }
  });

  it('lets none fail for another', async () => {
    const bad = ['u3', 'u29'];
    const { participation, applied, calls } = taking((names) => {
      const found = bad.find((name) => names.includes(name));
      return found === undefined ? undefined : new UniqueViolationError(`${found} is taken`);
    });
    const outcomes = await applyTogether(participation, units(64), {});
    const failed = outcomes.flatMap((outcome, at) =>
      outcome.status === 'rejected' ? [[at, outcome.reason.message]] : [],
    );
    expect(failed).toEqual([
      [3, 'u3 is taken'],
      [29, 'u29 is taken'],
    ]);
    expect(applied.size).toBe(62);
    expect(calls.length).toBeLessThan(30);
  });

  it('asks a store that is down twice and no more', async () => {
    const { participation, calls } = taking(() => new ConnectionError('gone'));
    const outcomes = await applyTogether(participation, units(300), {});
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(calls).toEqual([300, 1]);
  });

  it('gives a slow store less at a time', async () => {
    const { participation, applied } = taking((names) =>
      names.length > 100 ? new TimeoutError('too much') : undefined,
    );
    const outcomes = await applyTogether(participation, units(500), {});
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(applied.size).toBe(500);
  });
});
