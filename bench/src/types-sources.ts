/**
 * One hundred entities of fifteen properties, and three queries for each, as every contender writes them: ten values,
 * a version, a time of creation and three relations, in a file per entity, as applications have them.
 */

export interface Contender {
  readonly name: string;
  readonly legacy: boolean;
  /** Source of the n-th of `count` entities. */
  entity(n: number, count: number): string;
  /** Source of three queries on the n-th entity. */
  queries(n: number, count: number): string;
}

/** Neighbours that an entity refers to: many-to-one, its other side, many-to-many. */
function neighbours(n: number, count: number): { parent: number; child: number; friend: number } {
  return { parent: (n + 1) % count, child: (n + count - 1) % count, friend: (n + 7) % count };
}

function imports(n: number, count: number): string {
  const { parent, child, friend } = neighbours(n, count);
  return [parent, child, friend].map((i) => `import { E${i} } from './e${i}.js';`).join('\n');
}

/** The same classes without decorators: `containers` as ours has them, or bare objects and arrays without any library. */
function plain(name: string, containers: boolean): Contender {
  const one = (n: number) => (containers ? `Ref<E${n}>` : `E${n}`);
  const many = (n: number) => (containers ? `Collection<E${n}>` : `E${n}[]`);
  const first = containers
    ? 'e.parent.get()?.email, e.children.get()[0]?.email'
    : 'e.parent.email, e.children[0]?.email';
  return {
    name,
    legacy: false,
    entity(n, count) {
      const { parent, child, friend } = neighbours(n, count);
      return `${containers ? "import type { Collection, Ref } from '@storeweave/core';\n" : ''}${imports(n, count)}
export class E${n} {
  id!: string;
  email!: string;
  name!: string | null;
  age!: number;
  score!: number;
  active!: boolean;
  born!: Date;
  price!: string;
  role!: 'user' | 'admin';
  settings!: { theme: string };
  version!: number;
  createdAt!: Date;
  parent!: ${one(parent)};
  children!: ${many(child)};
  friends!: ${many(friend)};
}`;
    },
    queries: (n) => `import { E${n} } from './e${n}.js';
declare const all: E${n}[];
export const a = all.filter((e) => e.email.startsWith('a') && e.age > 3).map((e) => [${first}]);
export const b = all.filter((e) => e.age > 3).map(({ email, age, role }) => ({ email, age, role }));
export const c: Partial<E${n}> = { email: 'a', age: 1, score: 2, born: new Date(), price: '1', settings: { theme: 'x' } };`,
  };
}

function storeweave(name: string, legacy: boolean, entity: Contender['entity']): Contender {
  return {
    name,
    legacy,
    entity,
    queries: (n) => `import type { Repository } from '@storeweave/core';
import { E${n} } from './e${n}.js';
declare const all: Repository<E${n}>;
export const a = (await all.find({
  where: { email: { like: 'a%' }, parent: { age: { gt: 3 } }, or: [{ role: 'admin' }, { active: true }] },
  populate: ['parent', 'parent.children', 'children'],
  orderBy: { age: 'desc' },
  limit: 10,
})).map((e) => [e.parent.value.email, e.parent.value.children.items[0]?.age, e.children.items[0]?.email]);
export const b = (await all.find({ where: { age: { between: [1, 9] } }, select: ['email', 'age', 'role'] })).map(({ email, age, role }) => ({ email, age, role }));
export const c = await all.insert({ email: 'a', age: 1, score: 2, born: new Date(), price: '1', settings: { theme: 'x' } });`,
  };
}

function decorated(n: number, count: number): string {
  const { parent, child, friend } = neighbours(n, count);
  return `import { type Collection, CreatedAt, type Defaults, Id, ManyToMany, ManyToOne, OneToMany, optional, Property, type Ref, Relational, Version } from '@storeweave/core';
${imports(n, count)}
@Relational()
export class E${n} {
  declare readonly [optional]: Defaults<'active' | 'role'>;
  @Id() id!: string;
  @Property('string', { unique: true }) email!: string;
  @Property('string', { nullable: true }) name!: string | null;
  @Property('integer') age!: number;
  @Property('float') score!: number;
  @Property('boolean', { default: true }) active!: boolean;
  @Property('timestamp') born!: Date;
  @Property('decimal', { precision: 10, scale: 2 }) price!: string;
  @Property('enum', { values: ['user', 'admin'], default: 'user' }) role!: 'user' | 'admin';
  @Property('json') settings!: { theme: string };
  @Version() version!: number;
  @CreatedAt() createdAt!: Date;
  @ManyToOne(() => E${parent}) parent!: Ref<E${parent}>;
  @OneToMany(() => E${child}, (e) => e.parent) children!: Collection<E${child}>;
  @ManyToMany(() => E${friend}) friends!: Collection<E${friend}>;
}`;
}

function defined(n: number, count: number): string {
  const { parent, child, friend } = neighbours(n, count);
  return `import { defineEntity, p } from '@storeweave/core';
${imports(n, count)}
export class E${n} extends defineEntity({
  name: 'E${n}',
  model: 'relational',
  props: {
    id: p.id(),
    email: p.string({ unique: true }),
    name: p.string({ nullable: true }),
    age: p.integer(),
    score: p.float(),
    active: p.boolean({ default: true }),
    born: p.timestamp(),
    price: p.decimal({ precision: 10, scale: 2 }),
    role: p.enum(['user', 'admin'], { default: 'user' }),
    settings: p.json<{ theme: string }>(),
    version: p.version(),
    createdAt: p.createdAt(),
    parent: () => p.manyToOne(E${parent}),
    children: () => p.oneToMany(E${child}, (e) => e.parent),
    friends: () => p.manyToMany(E${friend}),
  },
}) {}`;
}

function mikroOrm(flavour: 'legacy' | 'es'): Contender {
  return {
    name: `MikroORM ${flavour === 'legacy' ? 'legacy' : 'standard'}`,
    legacy: flavour === 'legacy',
    entity(n, count) {
      const { parent, child, friend } = neighbours(n, count);
      return `import { Collection, type Opt, type Ref } from '@mikro-orm/core';
import { Entity, Enum, ManyToMany, ManyToOne, OneToMany, PrimaryKey, Property } from '@mikro-orm/decorators/${flavour}';
${imports(n, count)}
@Entity()
export class E${n} {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'string', unique: true }) email!: string;
  @Property({ type: 'string', nullable: true }) name!: string | null;
  @Property({ type: 'integer' }) age!: number;
  @Property({ type: 'float' }) score!: number;
  @Property({ type: 'boolean', default: true }) active!: boolean & Opt;
  @Property({ type: 'datetime' }) born!: Date;
  @Property({ type: 'decimal', precision: 10, scale: 2 }) price!: string;
  @Enum({ items: ['user', 'admin'], default: 'user' }) role!: ('user' | 'admin') & Opt;
  @Property({ type: 'json' }) settings!: { theme: string };
  @Property({ type: 'integer', version: true }) version!: number & Opt;
  @Property({ type: 'datetime' }) createdAt!: Date & Opt;
  @ManyToOne(() => E${parent}, { ref: true, nullable: true }) parent!: Ref<E${parent}> | null;
  @OneToMany(() => E${child}, (e) => e.parent) children = new Collection<E${child}>(this);
  @ManyToMany(() => E${friend}) friends = new Collection<E${friend}>(this);
}`;
    },
    queries: (n) => `import type { EntityManager } from '@mikro-orm/core';
import { E${n} } from './e${n}.js';
declare const em: EntityManager;
export const a = (await em.find(E${n}, { email: { $like: 'a%' }, parent: { age: { $gt: 3 } }, $or: [{ role: 'admin' }, { active: true }] }, {
  populate: ['parent', 'parent.children', 'children'],
  orderBy: { age: 'desc' },
  limit: 10,
})).map((e) => [e.parent?.$.email, e.parent?.$.children.$[0]?.age, e.children.$[0]?.email]);
export const b = (await em.find(E${n}, { age: { $gte: 1, $lte: 9 } }, { fields: ['email', 'age', 'role'] })).map(({ email, age, role }) => ({ email, age, role }));
export const c = em.create(E${n}, { email: 'a', age: 1, score: 2, born: new Date(), price: '1', settings: { theme: 'x' } });`,
  };
}

const typeOrm: Contender = {
  name: 'TypeORM',
  legacy: true,
  entity(n, count) {
    const { parent, child, friend } = neighbours(n, count);
    return `import { Column, CreateDateColumn, Entity, JoinTable, ManyToMany, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation, VersionColumn } from 'typeorm';
${imports(n, count)}
@Entity()
export class E${n} {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'varchar', unique: true }) email!: string;
  @Column({ type: 'varchar', nullable: true }) name!: string | null;
  @Column({ type: 'integer' }) age!: number;
  @Column({ type: 'float' }) score!: number;
  @Column({ type: 'boolean', default: true }) active!: boolean;
  @Column({ type: 'timestamp' }) born!: Date;
  @Column({ type: 'decimal', precision: 10, scale: 2 }) price!: string;
  @Column({ type: 'enum', enum: ['user', 'admin'], default: 'user' }) role!: 'user' | 'admin';
  @Column({ type: 'json' }) settings!: { theme: string };
  @VersionColumn() version!: number;
  @CreateDateColumn() createdAt!: Date;
  @ManyToOne(() => E${parent}, (e) => e.children) parent!: Relation<E${parent}>;
  @OneToMany(() => E${child}, (e) => e.parent) children!: Relation<E${child}>[];
  @ManyToMany(() => E${friend}) @JoinTable() friends!: Relation<E${friend}>[];
}`;
  },
  queries: (n) => `import { Between, Like, MoreThan, type Repository } from 'typeorm';
import { E${n} } from './e${n}.js';
declare const all: Repository<E${n}>;
export const a = (await all.find({
  where: [
    { email: Like('a%'), parent: { age: MoreThan(3) }, role: 'admin' },
    { email: Like('a%'), parent: { age: MoreThan(3) }, active: true },
  ],
  relations: { parent: { children: true }, children: true },
  order: { age: 'DESC' },
  take: 10,
})).map((e) => [e.parent.email, e.parent.children[0]?.age, e.children[0]?.email]);
export const b = (await all.find({ where: { age: Between(1, 9) }, select: { email: true, age: true, role: true } })).map(({ email, age, role }) => ({ email, age, role }));
export const c = all.create({ email: 'a', age: 1, score: 2, born: new Date(), price: '1', settings: { theme: 'x' } });`,
};

/** All contenders; the first is what ratios refer to. */
export const contenders: readonly Contender[] = [
  plain('plain classes', true),
  plain('plain classes, no library', false),
  storeweave('Storeweave legacy', true, decorated),
  storeweave('Storeweave standard', false, decorated),
  storeweave('Storeweave defineEntity', false, defined),
  mikroOrm('legacy'),
  mikroOrm('es'),
  typeOrm,
];
