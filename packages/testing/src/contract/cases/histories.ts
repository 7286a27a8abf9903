/**
 * Random histories of units of work, compared with a plain model: whatever order things are created, tied, moved, taken
 * apart, flushed, rolled back and committed in, what is stored is what a few maps say.
 */
import assert from 'node:assert/strict';
import type { Storeweave, UnitOfWork } from '@storeweave/core';
import { type ContractCase, savepoints, test, transactions } from '../case.js';
import { matrixNeeds } from '../domain/groups.js';
import { type MatrixOwner, type MatrixPair, type MatrixTarget, matrixPairs } from '../domain/matrix.js';
import { range, there } from './assertions.js';

/** What is there, by name; names are never used twice. */
interface Model {
  readonly owners: Map<string, { one: string | null; linked: Set<string> }>;
  readonly targets: Map<string, { owner: string | null }>;
}

const copied = ({ owners, targets }: Model): Model => ({
  owners: new Map([...owners].map(([name, owner]) => [name, { ...owner, linked: new Set(owner.linked) }])),
  targets: new Map([...targets].map(([name, target]) => [name, { ...target }])),
});

/** The same numbers for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2_654_435_761;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

class History {
  #made = 0;
  constructor(
    readonly pair: MatrixPair,
    readonly roll: (sides: number) => number,
    public model: Model,
  ) {}

  /** A few random steps in this unit of work, the same on the model. */
  async steps(uow: UnitOfWork, n: number): Promise<void> {
    for (const _ of range(n)) await this.#step(uow);
  }

  async #step(uow: UnitOfWork): Promise<void> {
    const { model, roll } = this;
    switch (roll(9)) {
      case 0: {
        const name = `o${this.#made++}`;
        uow.create(this.pair.Owner, { name });
        model.owners.set(name, { one: null, linked: new Set() });
        return;
      }
      case 1: {
        const name = `t${this.#made++}`;
        uow.create(this.pair.Target, { name });
        model.targets.set(name, { owner: null });
        return;
      }
      case 2: {
        const [owner, target] = [this.#some(model.owners), this.#some(model.targets)];
        if (owner === undefined) return;
        const chosen = roll(3) === 0 ? undefined : target;
        (await this.#owner(uow, owner)).one.set(chosen === undefined ? null : await this.#target(uow, chosen));
        there(model.owners.get(owner)).one = chosen ?? null;
        return;
      }
      case 3: {
        const [owner, target] = [this.#some(model.owners), this.#some(model.targets)];
        if (owner === undefined || target === undefined) return;
        (await this.#owner(uow, owner)).many.add(await this.#target(uow, target));
        there(model.targets.get(target)).owner = owner;
        return;
      }
      case 4: {
        const target = this.#some(model.targets);
        const state = target === undefined ? undefined : model.targets.get(target);
        if (target === undefined || state === undefined || state.owner === null) return;
        if (roll(2) === 0) (await this.#target(uow, target)).owner.set(null);
        else (await this.#owner(uow, state.owner)).many.remove(await this.#target(uow, target));
        state.owner = null;
        return;
      }
      case 5: {
        const [owner, target] = [this.#some(model.owners), this.#some(model.targets)];
        if (owner === undefined || target === undefined) return;
        if (roll(2) === 0) (await this.#owner(uow, owner)).linked.add(await this.#target(uow, target));
        else (await this.#target(uow, target)).linkedBy.add(await this.#owner(uow, owner));
        there(model.owners.get(owner)).linked.add(target);
        return;
      }
      case 6: {
        const owner = this.#some(model.owners);
        const linked = owner === undefined ? undefined : model.owners.get(owner)?.linked;
        const target = linked === undefined ? undefined : [...linked][0];
        if (owner === undefined || linked === undefined || target === undefined) return;
        (await this.#owner(uow, owner)).linked.remove(await this.#target(uow, target));
        linked.delete(target);
        return;
      }
      case 7: {
        // Only what no key refers to: what a dangling key means is another matter. Links go by themselves.
        const target = [...model.targets.keys()].find(
          (name) =>
            model.targets.get(name)?.owner === null && [...model.owners.values()].every(({ one }) => one !== name),
        );
        const owner = [...model.owners.keys()].find((name) =>
          [...model.targets.values()].every((each) => each.owner !== name),
        );
        if (roll(2) === 0 && target !== undefined) {
          uow.remove(await this.#target(uow, target));
          model.targets.delete(target);
          for (const each of model.owners.values()) each.linked.delete(target);
        } else if (owner !== undefined) {
          uow.remove(await this.#owner(uow, owner));
          model.owners.delete(owner);
        }
        return;
      }
      default:
        if (roll(3) === 0) await uow.flush();
    }
  }

  /** Part of a unit of work that is taken back, or not. */
  async nested(uow: UnitOfWork): Promise<void> {
    const before = copied(this.model);
    const isUndone = this.roll(2) === 0;
    await uow
      .transaction(async () => {
        await this.steps(uow, 4);
        if (isUndone) throw undo;
      })
      .catch((error) => {
        if (error !== undo) throw error;
        this.model = before;
      });
  }

  #some(map: ReadonlyMap<string, unknown>): string | undefined {
    return map.size === 0 ? undefined : [...map.keys()][this.roll(map.size)];
  }

  #owner(uow: UnitOfWork, name: string): Promise<MatrixOwner> {
    return uow.repository(this.pair.Owner).findOneOrFail({ where: { name } });
  }

  #target(uow: UnitOfWork, name: string): Promise<MatrixTarget> {
    return uow.repository(this.pair.Target).findOneOrFail({ where: { name } });
  }
}

const undo = new Error('taken back');

async function stored(weave: Storeweave, { Owner, Target }: MatrixPair): Promise<unknown> {
  const owners = await weave.repository(Owner).find({ populate: ['one', 'many', 'linked'], orderBy: { name: 'asc' } });
  const targets = await weave
    .repository(Target)
    .find({ populate: ['owner', 'manyOf', 'linkedBy'], orderBy: { name: 'asc' } });
  const names = (items: readonly { name: string }[]) => items.map((each) => each.name).sort();
  return {
    owners: owners.map((each) => [
      each.name,
      each.one.get()?.name ?? null,
      names(each.many.items),
      names(each.linked.items),
    ]),
    targets: targets.map((each) => [
      each.name,
      each.owner.get()?.name ?? null,
      names(each.manyOf.items),
      names(each.linkedBy.items),
    ]),
  };
}

function expected({ owners, targets }: Model): unknown {
  const sorted = (names: Iterable<string>) => [...names].sort();
  return {
    owners: sorted(owners.keys()).map((name) => {
      const { one, linked } = there(owners.get(name));
      return [
        name,
        one,
        sorted([...targets].flatMap(([target, { owner }]) => (owner === name ? [target] : []))),
        sorted(linked),
      ];
    }),
    targets: sorted(targets.keys()).map((name) => [
      name,
      there(targets.get(name)).owner,
      sorted([...owners].flatMap(([owner, { one }]) => (one === name ? [owner] : []))),
      sorted([...owners].flatMap(([owner, { linked }]) => (linked.has(name) ? [owner] : []))),
    ]),
  };
}

function historiesOf(pair: MatrixPair): ContractCase {
  const needs = [
    ...matrixNeeds(pair.from, pair.to),
    ...[pair.from, pair.to].flatMap((on) => [transactions(on), savepoints(on)]),
  ];
  return test(
    `histories/${pair.from} to ${pair.to}: random units of work leave what a plain model says`,
    needs,
    async ({ weave }) => {
      for (const seed of range(6)) {
        const history = new History(pair, dice(seed + 1), { owners: new Map(), targets: new Map() });
        for (const unit of range(8)) {
          const before = copied(history.model);
          const isRolledBack = history.roll(5) === 0;
          await weave
            .transaction({ retries: 0 }, async (uow) => {
              await history.steps(uow, 5);
              if (history.roll(3) === 0) await history.nested(uow);
              await history.steps(uow, 3);
              if (isRolledBack) throw undo;
            })
            .catch((error) => {
              if (error !== undo) throw new Error(`seed ${seed}, unit ${unit}: ${String(error)}`, { cause: error });
              history.model = before;
            });
          assert.deepEqual(await stored(weave, pair), expected(history.model), `seed ${seed}, unit ${unit}`);
        }
        await weave.repository(pair.Target).delete({});
        await weave.repository(pair.Owner).delete({});
      }
    },
  );
}

export const historyCases: readonly ContractCase[] = matrixPairs.map(historiesOf);
