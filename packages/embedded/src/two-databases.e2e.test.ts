/** One unit of work over two databases: an embedded one or a server decides, and a second server prepares its part. */
import { randomUUID } from 'node:crypto';
import { type StepEvent, Storeweave, UniqueViolationError } from '@storeweave/core';
import { postgres } from '@storeweave/postgres';
import { sharedPostgres } from '@storeweave/testing/servers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { embedded } from './embedded.js';
import { Card, census, enroll, entities, Member } from './four-models.fixture.js';

describe.each(['PGlite', 'PostgreSQL'] as const)('decided by %s', (name) => {
  let weave: Storeweave;
  /** Where a commit is stopped, as if its process ended there. */
  let stopAt: Pick<StepEvent, 'step' | 'moment'> | undefined;
  const steps: string[] = [];

  beforeEach(async () => {
    const server = await sharedPostgres();
    const { relational } = embedded(name === 'PGlite' ? {} : { url: await server.database('first') });
    weave = await Storeweave.open({
      entities,
      stores: { relational, ...postgres({ url: await server.database('second') }) },
      commit: {
        relay: false,
        onStep: ({ step, moment, store }) => {
          if (moment === 'after') steps.push(`${step} ${store}`);
          if (step === stopAt?.step && moment === stopAt.moment) throw new Error(`stopped ${moment} ${step}`);
        },
      },
    });
    stopAt = undefined;
    steps.length = 0;
  });
  afterEach(() => weave.close());

  const nothing = { members: 0, cards: 0, visits: 0, edges: 0 };
  const whole = { members: 2, cards: 1, visits: 1, edges: 1 };

  it('is in both', async () => {
    await enroll(weave, 1);
    expect(await census(weave)).toStrictEqual(whole);
    expect(steps.filter((step) => step.startsWith('prepare'))).toHaveLength(1);
    expect(steps).toContain('claim relational');
  });

  it.each(['claim', 'prepare', 'decide'] as const)('is in neither when it is refused before %s', async (step) => {
    stopAt = { step, moment: 'before' };
    await expect(enroll(weave, 1)).rejects.toThrow(`stopped before ${step}`);
    stopAt = undefined;
    expect(await census(weave)).toStrictEqual(nothing);
    await enroll(weave, 1);
    expect(await census(weave)).toStrictEqual(whole);
  });

  it('is finished by a writer that meets it, at once and without a relay', async () => {
    const id = randomUUID();
    const card = (colour: string) => ({ id, memberId: id, colours: [colour] });
    stopAt = { step: 'apply', moment: 'before' };
    await weave.transaction(async (uow) => {
      uow.create(Member, { number: 1 });
      uow.create(Card, card('red'));
    });
    stopAt = undefined;
    expect((await weave.journal.stats()).open).toBe(1);
    const began = performance.now();
    await expect(weave.transaction(async (uow) => void uow.create(Card, card('blue')))).rejects.toThrow(
      UniqueViolationError,
    );
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await weave.repository(Card).findOneOrFail({ where: { id } })).colours).toEqual(['red']);
  });

  it('is finished by whoever comes later, once it is decided', async () => {
    stopAt = { step: 'apply', moment: 'before' };
    await enroll(weave, 1).catch(() => undefined);
    expect((await census(weave)).visits).toBe(0);
    stopAt = undefined;
    expect(await weave.journal.drain()).toStrictEqual({ finished: 1, failed: 0 });
    expect(await census(weave)).toStrictEqual(whole);
    expect(await weave.journal.stats()).toMatchObject({ open: 0, dead: 0 });
  });
});
