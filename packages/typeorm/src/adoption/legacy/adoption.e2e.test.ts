/** Classes with TypeORM's decorators as entities: on an empty database, beside our own, and what is refused. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adopted,
  type Collection,
  ConfigurationError,
  type EntityClass,
  Id,
  OneToMany as Many,
  MetadataError,
  ManyToOne as One,
  Property,
  type Ref,
  Relational,
  Storeweave,
} from '@storeweave/core';
import {
  Check,
  ChildEntity,
  Column,
  Entity,
  EntitySchema,
  Index,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  TableInheritance,
  Tree,
  Unique,
} from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { databases, type TestDatabase } from '../../databases.fixture.js';
import { migrations } from '../../migrations/migrations.js';
import { typeorm } from '../../typeorm.js';

enum Mood {
  calm = 1,
  wild = 2,
}

@Relational()
@Entity({ name: 'zoo', schema: 'park' })
@Index('zoo_by_rooms', ['rooms', 'name'])
@Unique('zoo_name', ['name'])
@Check('zoo_has_rooms', '"rooms" > 0')
class Zoo {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar', length: 10 }) name!: string;
  @Column({ type: 'int', default: () => '40 + 2' }) rooms!: number;
}

@Relational()
@Entity()
@Index('animal_bits', ['bits'], { unique: true })
class Animal {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'enum', enum: Mood, array: true, default: [] }) moods!: Mood[];
  @Column({ type: 'enum', enum: Mood, enumName: 'moody' }) mood!: Mood;
  @Column({ type: 'timestamp', array: true, nullable: true }) fed!: Date[] | null;
  @Column({ type: 'bigint', array: true, nullable: true }) numbers!: string[] | null;
  @Column({ type: 'bit', length: 3, nullable: true }) bits!: string | null;
  @Column({ type: 'timestamptz', precision: 0, nullable: true }) seen!: Date | null;
  @ManyToOne(() => Zoo, { nullable: true }) zoo!: Zoo | null;
  @ManyToMany(() => Animal)
  @JoinTable()
  friends!: Animal[];
}

@Relational()
@Entity()
@TableInheritance({ column: { type: 'varchar', name: 'kind' } })
abstract class Vehicle {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar', unique: true }) plate!: string;
}

@Relational()
@ChildEntity()
class Car extends Vehicle {
  @Column({ type: 'int', nullable: true }) doors!: number | null;
}

@Relational()
@ChildEntity("lor'ry")
class Truck extends Vehicle {
  declare readonly [adopted]: 'pulls';
  @Column({ type: 'int' }) load!: number;
  @ManyToOne(() => Truck, { nullable: true }) pulls!: Truck | null;
}

/** Our own, beside them. */
@Relational()
class Keeper {
  @Id() id!: string;
  @Property('string') name!: string;
  @One(() => Zoo, { onDelete: 'cascade' }) zoo!: Ref<Zoo>;
  @Many(
    () => Shift,
    (shift: Shift) => shift.keeper,
  )
  shifts!: Collection<Shift>;
}

@Relational()
class Shift {
  @Id() id!: string;
  @One(() => Keeper) keeper!: Ref<Keeper>;
}

const all = [Zoo, Animal, Keeper, Shift];

describe.each(databases)('on $name', ({ open }) => {
  let database: TestDatabase;
  const opened: Storeweave[] = [];
  beforeAll(async () => {
    database = await open();
  });
  afterEach(async () => {
    for (const weave of opened.splice(0)) await weave.close();
    const { store } = { store: typeorm(database.options()) };
    await store.open({ name: 'relational', entities: [] });
    await store.relational.sql('drop schema if exists park cascade', [], {});
    await store.close();
    await database.reset();
  });
  afterAll(() => database?.close());

  async function weaving(entities: readonly EntityClass[], more: object = {}) {
    const relational = typeorm({ ...database.options(), ...more });
    const weave = await Storeweave.open({ entities, stores: { relational } });
    opened.push(weave);
    return { weave, relational };
  }

  it('makes their tables where there are none, as TypeORM would, and ours beside them', async () => {
    const { weave, relational } = await weaving(all);
    expect((await weave.schema.plan()).changes).toStrictEqual([]);
    const { upQueries } = await relational.dataSource.driver.createSchemaBuilder().log();
    // A default that is an expression is never equal for TypeORM: the server writes it with parentheses.
    expect(upQueries.map(({ query }) => query).filter((query) => !/rooms/.test(query))).toStrictEqual([]);

    const at = new Date(2024, 5, 1, 12, 30);
    const id = await weave.transaction((uow) => {
      const zoo = uow.create(Zoo, { name: 'North' } as never);
      uow.create(Keeper, { name: 'Kim', zoo });
      const friend = uow.create(Animal, { mood: Mood.calm, moods: [] } as never);
      return uow.create(Animal, {
        mood: Mood.wild,
        moods: [Mood.wild, Mood.calm],
        fed: [at, new Date(0)],
        numbers: ['9007199254740993'],
        bits: '101',
        seen: new Date(1_700_000_000_000),
        zoo,
        friends: [friend],
      } as never).id;
    });
    const ours = await weave.repository(Animal).findById(id);
    const theirs = await relational.dataSource.getRepository(Animal).findOneByOrFail({ id });
    expect({ ...ours }).toEqual({ ...theirs });
    expect(ours).toMatchObject({ moods: [Mood.wild, Mood.calm], fed: [at, new Date(0)], bits: '101' });
    const zoos = await weave.repository(Zoo).find({ where: { name: 'North' } });
    expect(zoos).toStrictEqual([expect.objectContaining({ rooms: 42 })]);
    const [kim] = await weave.repository(Keeper).find({ populate: ['zoo'] });
    expect(kim?.zoo.value).toMatchObject({ name: 'North' });
    await relational.dataSource.getRepository(Animal).delete(id);
    await relational.dataSource.getRepository(Zoo).delete(zoos[0]?.id ?? 0);
    expect(await weave.repository(Keeper).count({})).toBe(0);
  });

  it('sees what changed in the classes, and writes it as a migration', async () => {
    const one = await weaving(all);
    const sql = (text: string) => one.relational.relational.sql(text, [], {});
    const [key] = one.relational.dataSource.getMetadata(Animal).foreignKeys;
    await sql(`alter table animal drop constraint "${key?.name}"`);
    await sql('drop index animal_bits');
    await sql(
      'alter table park.zoo drop constraint zoo_name, drop constraint zoo_has_rooms, drop column rooms, alter name type varchar(4), add more text, alter name drop not null',
    );
    const changes = (await one.weave.schema.plan()).changes.map(({ summary }) => summary);
    expect(changes).toStrictEqual([
      'add column rooms to zoo',
      'create index zoo_by_rooms on zoo',
      'create index animal_bits on animal',
      'add constraint zoo_has_rooms to zoo',
      `add foreign key ${key?.name} to animal`,
      'change the type of zoo.name from character varying(4) to character varying(10)',
      'require a value in zoo.name',
      'drop column more of zoo, which Zoo does not have',
      'add constraint zoo_name to zoo',
    ]);
    const directory = await mkdtemp(join(tmpdir(), 'adoption-'));
    try {
      const [made] = await migrations(one.relational).generate({ name: 'Zoo', directory, destructive: 'include' });
      const text = await readFile(made?.path ?? '', 'utf8');
      expect(text).toContain('ALTER TABLE "park"."zoo" ADD "rooms" integer NOT NULL DEFAULT 40 + 2');
      expect(text).toMatch(/DESTRUCTIVE: drop column more of zoo/);
      const classes = Object.values((await import(/* @vite-ignore */ made?.path ?? '')) as object);
      const steps = migrations(one.relational, { migrations: classes });
      await steps.run();
      expect((await one.weave.schema.plan()).changes).toStrictEqual([]);
      await steps.revert();
      expect((await one.weave.schema.plan()).changes.map(({ summary }) => summary)).toStrictEqual(changes);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('keeps classes apart that share a table', async () => {
    const { weave, relational } = await weaving([Car, Truck], { entities: [Vehicle] });
    expect((await weave.schema.plan()).changes).toStrictEqual([]);
    await weave.transaction((uow) => {
      uow.create(Car, { plate: 'A', doors: 3 });
      uow.create(Car, { plate: 'B', doors: 5 });
      const pulls = uow.create(Truck, { plate: 'C', load: 7 });
      uow.create(Truck, { plate: 'D', load: 9, pulls });
    });
    const theirs = await relational.dataSource.getRepository(Vehicle).find({ order: { plate: 'ASC' } });
    expect(theirs.map((each) => each.constructor)).toStrictEqual([Car, Car, Truck, Truck]);
    await relational.dataSource.getRepository(Truck).save({ plate: 'E', load: 1 });
    const trucks = weave.repository(Truck);
    const found = await trucks.find({ orderBy: { plate: 'asc' }, populate: ['pulls'] });
    expect(found.map(({ plate, pulls }) => [plate, pulls?.plate])).toStrictEqual([
      ['C', undefined],
      ['D', 'C'],
      ['E', undefined],
    ]);
    expect(await trucks.count({ pulls: { load: { lt: 8 } } })).toBe(1);
    expect(await weave.repository(Car).count({})).toBe(2);
    expect(await trucks.findById(theirs[0]?.id ?? 0)).toBeNull();
    await weave.transaction(async (uow) => {
      const [car] = await uow.repository(Car).find({ where: { plate: 'A' }, lock: 'update' });
      if (car !== undefined) car.doors = 4;
      expect(await uow.repository(Truck).update({ plate: { in: ['A', 'E'] } }, { load: 2 })).toBe(1);
    });
    expect(await weave.repository(Car).find({ select: ['doors'], orderBy: { plate: 'asc' } })).toStrictEqual([
      { doors: 4 },
      { doors: 5 },
    ]);
    const taken = weave.repository(Car).insert({ plate: 'E' });
    await expect(taken).rejects.toMatchObject({ entity: 'Car', property: 'plate' });
    expect(await trucks.delete({ plate: { exists: true }, pulls: { exists: true } })).toBe(1);
    expect(await relational.dataSource.getRepository(Vehicle).count()).toBe(4);
  });

  it('asks for classes that lead on, and reads them where they are given', async () => {
    const alone = weaving([Animal]);
    await expect(alone).rejects.toThrow(ConfigurationError);
    await expect(alone).rejects.toThrow(/Animal#zoo.*typeorm\(\{ entities \}\)/);
    const { weave, relational } = await weaving([Animal], { entities: [Zoo] }).catch(async (error: unknown) => {
      // TypeORM's table of zoos is not ours to make.
      expect((error as Error).message).toMatch(/park/);
      const store = typeorm(database.options());
      await store.open({ name: 'relational', entities: [] });
      await store.relational.sql('create schema park', [], {});
      await store.relational.sql(
        'create table park.zoo (id serial primary key, name varchar(10) not null, rooms int not null default 42)',
        [],
        {},
      );
      await store.close();
      return weaving([Animal], { entities: [Zoo] });
    });
    const zoo = await relational.dataSource.getRepository(Zoo).save({ name: 'South' });
    const { id } = await weave.transaction((uow) => uow.create(Animal, { mood: Mood.calm, zoo } as never));
    expect(await weave.repository(Animal).findById(id)).toMatchObject({ zoo: { id: zoo.id }, moods: [] });
  });
});

describe('is refused', () => {
  const opening = (...entities: EntityClass[]) =>
    Storeweave.open({ entities, stores: { relational: typeorm({ url: 'postgres://127.0.0.1:1/none' }) } });

  it('what TypeORM alone can do', async () => {
    @Relational()
    @Entity()
    @Tree('materialized-path')
    class Branch {
      @PrimaryGeneratedColumn() id!: number;
    }
    await expect(opening(Branch)).rejects.toThrow(/Branch: is a tree of TypeORM/);
    const parent = Storeweave.open({
      entities: [Animal, Zoo, Vehicle],
      stores: { relational: typeorm({ url: 'postgres://127.0.0.1:1/none', entities: [Car, Truck] }) },
    });
    await expect(parent).rejects.toThrow(/Vehicle: keeps other classes in its table .* Put Car, Truck into entities/);
    @Relational()
    @Entity()
    class Lazy {
      @PrimaryColumn({ type: 'int' }) id!: number;
      @Column({ type: 'point', nullable: true }) place!: string | null;
      @ManyToOne(() => Lazy, { lazy: true }) next!: Promise<Lazy>;
    }
    const lazy = opening(Lazy);
    await expect(lazy).rejects.toThrow(MetadataError);
    await expect(lazy).rejects.toThrow(/Lazy.next: is lazy, a Promise/);
    await expect(lazy).rejects.toThrow(
      /Lazy.place: is of type point.*@Property\('string', \{ column: 'place', convert \}\)/,
    );
  });

  it('nothing of classes that TypeORM does not know', async () => {
    @Relational()
    class Plain {
      @Id() id!: string;
    }
    const store = typeorm({
      url: 'postgres://127.0.0.1:1/none',
      entities: [new EntitySchema({ name: 'X', columns: {} })],
    });
    expect(await store.adopt([Plain])).toStrictEqual(new Map());
  });
});
