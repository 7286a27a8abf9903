/** What is tried on each database that is not PostgreSQL, beside the contract: its own edges, migrations, the manager. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Collection,
  type Defaults,
  type EntityClass,
  Id,
  identity,
  ManyToOne,
  OneToMany,
  optional,
  Property,
  type Ref,
  Relational,
  SchemaError,
  Storeweave,
  sum,
  UniqueViolationError,
  Version,
} from '@storeweave/core';
import type { EntityManager } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { migrations } from '../migrations/migrations.js';
import type { TypeormOptions } from '../options.js';
import { typeorm } from '../typeorm.js';

@Relational({ table: 'owners' })
class Owner {
  declare readonly [optional]: Defaults<'points'>;
  @Id() id!: string;
  @Property('string', { unique: true }) name!: string;
  @Property('decimal', { nullable: true }) exact!: string | null;
  @Property('bigint', { default: 0n }) points!: bigint;
  @Property('json', { nullable: true }) data!: unknown;
  @Version() version!: number;
  @OneToMany(
    () => Pet,
    (pet) => pet.owner,
  )
  pets!: Collection<Pet>;
}

@Relational({ table: 'pets' })
class Pet {
  declare readonly [identity]: 'number';
  declare readonly [optional]: Defaults<'number'>;
  @Id('integer', { generated: 'sequence' }) number!: number;
  @Property('string', { length: 20 }) name!: string;
  @ManyToOne(() => Owner, { onDelete: 'cascade' }) owner!: Ref<Owner>;
}

/** The owner of a later version of the application. */
@Relational({ table: 'owners' })
class Owner2 {
  declare readonly [optional]: Defaults<'points' | 'city'>;
  @Id() id!: string;
  @Property('string', { unique: true }) name!: string;
  @Property('decimal', { nullable: true }) exact!: string | null;
  @Property('bigint', { default: 0n }) points!: bigint;
  @Property('json', { nullable: true }) data!: unknown;
  @Property('string', { length: 30, default: 'none', index: true }) city!: string;
  @Version() version!: number;
}

/** `fresh` makes an empty database, and gives what opens a store over it as often as it is called. */
export function portableSuite(product: string, fresh: () => Promise<() => TypeormOptions>): void {
  async function open(entities: readonly EntityClass[] = [Owner, Pet]) {
    const relational = typeorm((await fresh())());
    return { weave: await Storeweave.open({ entities, stores: { relational } }), relational };
  }

  describe(`the relational store on ${product}`, () => {
    it('writes thousands of rows by as many statements as one', async () => {
      const { weave, relational } = await open();
      const sent: string[] = [];
      const { domain } = relational;
      const use = domain.use.bind(domain);
      domain.use = (access, work) =>
        use(access, (session) => {
          const query = session.query.bind(session);
          return work(
            Object.create(session, {
              query: {
                value: (given: Parameters<typeof query>[0]) => {
                  sent.push(given.text);
                  return query(given);
                },
              },
            }),
          );
        });
      const statements = async (rows: number, prefix: string) => {
        sent.length = 0;
        await weave.transaction(async (uow) => {
          for (let i = 0; i < rows; i++)
            uow.create(Owner, { name: `${prefix}${i}`, exact: `${i}.5`, points: BigInt(i) });
        });
        await weave.transaction(async (uow) => {
          for (const each of await uow.repository(Owner).find({ where: { name: { like: `${prefix}%` } } }))
            each.data = { n: each.name };
        });
        await weave.transaction(async (uow) => {
          for (const each of await uow.repository(Owner).find({ where: { name: { like: `${prefix}%` } } }))
            uow.remove(each);
        });
        return sent.length;
      };
      const one = await statements(1, 'a');
      expect(await statements(3_000, 'b')).toBe(one);
      expect(await weave.repository(Owner).count()).toBe(0);
      await weave.close();
    });

    it('sums decimals and bigints without loss, and orders decimals as numbers', async () => {
      const { weave } = await open();
      await weave.repository(Owner).insert([
        { name: 'a', exact: '-12345678901234567890.5', points: 9_007_199_254_740_993n },
        { name: 'b', exact: '0.25', points: 2n },
        { name: 'c', exact: '100', points: -1n },
        { name: 'd', exact: '9', points: 0n },
      ]);
      const [all] = await weave.relational(Owner).query({ select: { exact: sum('exact'), points: sum('points') } });
      expect(String(all?.exact).replace(/0+$/, '')).toBe('-12345678901234567781.25');
      expect(all?.points).toBe(9_007_199_254_740_994n);
      const names = await weave.repository(Owner).find({ orderBy: { exact: 'asc' } });
      expect(names.map(({ name }) => name).join('')).toBe('abdc');
      expect(await weave.repository(Owner).count({ exact: { between: ['0.250', '9.0'] } })).toBe(2);
      await weave.close();
    });

    it("hands out TypeORM's manager inside the running transaction", async () => {
      const { weave } = await open();
      await expect(
        weave.transaction(async (uow) => {
          uow.create(Owner, { name: 'kept', data: { a: [1] } });
          await uow.flush();
          const manager = (await uow.native('relational')) as EntityManager;
          const found = await manager.findOneByOrFail(Owner, { name: 'kept' });
          expect(found.data).toEqual({ a: [1] });
          await manager.transaction((inner) => inner.update(Owner, { name: 'kept' }, { points: 5n }));
          await expect(manager.query('commit')).rejects.toThrow(/enlisted in a unit of work/);
          expect(await uow.repository(Owner).count({ points: 5n })).toBe(1);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await weave.repository(Owner).count()).toBe(0);
      await weave.close();
    });

    it('names the constraint and the property of what is refused, and goes on after it', async () => {
      const { weave } = await open();
      await weave.repository(Owner).insert({ name: 'taken' });
      const error = await weave
        .repository(Owner)
        .insert({ name: 'taken' })
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      expect(error).toBeInstanceOf(UniqueViolationError);
      expect(error).toMatchObject({ entity: 'Owner', property: 'name' });
      await weave.repository(Owner).insert({ name: 'free' });
      expect(await weave.repository(Owner).count()).toBe(2);
      await weave.close();
    });

    it('upserts the same new rows from several sides at once', async () => {
      const { weave } = await open();
      const rows = Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, points: 1n }));
      await Promise.all(Array.from({ length: 4 }, () => weave.repository(Owner).upsert(rows, { on: ['name'] })));
      expect(await weave.repository(Owner).count()).toBe(20);
      await weave.close();
    });

    it('deletes what refers to a row with it, and makes keys that go on after given ones', async () => {
      const { weave } = await open();
      await weave.transaction(async (uow) => {
        const owner = uow.create(Owner, { name: 'o' });
        for (const name of ['a', 'b', 'c']) owner.pets.add(uow.create(Pet, { name }));
      });
      const pets = await weave.repository(Pet).find({ orderBy: { number: 'asc' } });
      expect(pets.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
      await weave.repository(Owner).delete({ name: 'o' });
      expect(await weave.repository(Pet).count()).toBe(0);
      await weave.close();
    });

    it('writes, runs and reverts migrations', async () => {
      const options = await fresh();
      const directory = await mkdtemp(join(tmpdir(), 'storeweave-migrations-'));
      const glob = { migrations: [join(directory, '*.js')] };
      const step = async <R>(
        entities: readonly EntityClass[],
        work: (steps: ReturnType<typeof migrations>) => Promise<R>,
      ) => {
        const relational = typeorm({ ...options(), ...glob });
        const weave = await Storeweave.open({ entities, stores: { relational }, schema: 'ignore' });
        try {
          return await work(migrations(relational));
        } finally {
          await weave.close();
        }
      };
      try {
        const [made] = await step([Owner, Pet], (steps) => steps.generate({ name: 'First', directory, format: 'cjs' }));
        expect(await readFile(made?.path ?? '', 'utf8')).toMatch(/CREATE TABLE/);
        expect(await step([Owner, Pet], (steps) => steps.run())).toEqual([made?.name]);
        const verified = await Storeweave.open({
          entities: [Owner, Pet],
          stores: { relational: typeorm(options()) },
          schema: 'verify',
        });
        await verified.repository(Owner).insert({ name: 'kept' });
        await verified.close();

        const [second] = await step([Owner2], (steps) => steps.generate({ name: 'City', directory, format: 'cjs' }));
        expect(second?.changes.map(({ summary }) => summary).join()).toMatch(/add column city to owners/);
        expect(await step([Owner2], (steps) => steps.run())).toEqual([second?.name]);
        const later = await Storeweave.open({
          entities: [Owner2],
          stores: { relational: typeorm(options()) },
          schema: 'verify',
        });
        expect((await later.repository(Owner2).findOneOrFail({})).city).toBe('none');
        await later.close();

        expect(await step([Owner2], (steps) => steps.revert())).toBe(second?.name);
        await expect(
          Storeweave.open({ entities: [Owner2], stores: { relational: typeorm(options()) }, schema: 'verify' }),
        ).rejects.toThrow(SchemaError);
        expect(await step([Owner2], (steps) => steps.pending())).toEqual([second?.name]);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
  });
}
