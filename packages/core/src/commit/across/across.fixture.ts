/** A library over three transaction domains in memory: one decides, one takes fences, one only appends. */
import { type MemoryStore, memoryStore } from '@storeweave/testing';
import { p } from '../../decorators/builders.js';
import { defineEntity } from '../../decorators/define-entity.js';
import { type CommitOptions, Storeweave } from '../../weave/storeweave.js';
import type { UnitOfWork } from '../../weave/unit-of-work.js';
import type { CommitStep, StepEvent, StepListener } from './steps.js';

export class Account extends defineEntity({
  name: 'Account',
  model: 'relational',
  props: { id: p.id(), name: p.string(), version: p.version() },
}) {}

export class Profile extends defineEntity({
  name: 'Profile',
  model: 'document',
  props: { id: p.id(), nick: p.string({ unique: true }), about: p.text({ nullable: true }), version: p.version() },
}) {}

export class Visit extends defineEntity({
  name: 'Visit',
  model: 'timeseries',
  props: { page: p.tag(), at: p.time(), seconds: p.field('float') },
}) {}

export interface Stores {
  readonly relational: MemoryStore;
  readonly document: MemoryStore;
  readonly timeseries: MemoryStore;
}

export function makeStores(): Stores {
  return {
    relational: memoryStore({ capabilities: { commit: { coordinates: true } } }),
    document: memoryStore({ capabilities: { commit: { coordinates: false, participates: 'fence' } } }),
    timeseries: memoryStore({
      capabilities: { transactions: undefined, commit: { coordinates: false, participates: 'append' } },
    }),
  };
}

/** Opens a library, without a relay unless asked for, and with a life of its own over the stores. */
export function open(stores: Stores, commit: CommitOptions = {}): Promise<Storeweave> {
  return Storeweave.open({
    entities: [Account, Profile, Visit],
    stores: { ...stores },
    commit: { relay: false, ...commit },
  });
}

/** What is in the stores, by somebody who looks from outside. */
export async function contents(stores: Stores) {
  const weave = await open(stores);
  const accounts = await weave.repository(Account).find({ orderBy: { name: 'asc' } });
  const profiles = await weave.repository(Profile).find({ orderBy: { nick: 'asc' } });
  const visits = await weave.repository(Visit).find();
  await weave.close();
  return {
    accounts: accounts.map((each) => each.name),
    profiles: profiles.map((each) => `${each.nick}: ${each.about ?? '-'}`),
    visits: visits.length,
  };
}

/** Lets what its process left behind be finished by another one. */
export async function drain(stores: Stores): Promise<void> {
  const weave = await open(stores);
  await weave.journal.drain();
  await weave.close();
}

/** A process that dies: a listener that never answers from this step on. */
export function dying(step: CommitStep, moment: StepEvent['moment']): { listener: StepListener; died: Promise<void> } {
  let tell: () => void = () => {};
  const died = new Promise<void>((resolve) => {
    tell = resolve;
  });
  let isDead = false;
  return {
    died,
    listener: (event) => {
      if (!isDead && event.step === step && event.moment === moment) isDead = true;
      if (!isDead) return undefined;
      tell();
      return new Promise<void>(() => {});
    },
  };
}

/** What is there before and after `writeAll`. */
export const NOTHING = { accounts: [], profiles: [], visits: 0 };
export const WHOLE = { accounts: ['Ada'], profiles: ['ada: x'], visits: 1 };

/** Writes to all three databases. */
export function writeAll(uow: UnitOfWork) {
  uow.create(Account, { name: 'Ada' });
  uow.create(Profile, { nick: 'ada', about: 'x' });
  uow.create(Visit, { page: '/', at: new Date(0), seconds: 1 });
}
