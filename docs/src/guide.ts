/** The code that docs/guide.md quotes, one function for each of its sections. `guide.e2e.test.ts` runs all of it. */
import {
  type Collection,
  CreatedAt,
  count,
  type Defaults,
  Document,
  defineEntity,
  Embedded,
  Field,
  Id,
  ManyToOne,
  Measurement,
  mean,
  OneToMany,
  OptimisticLockError,
  optional,
  Property,
  p,
  type Ref,
  Related,
  Relational,
  Series,
  Storeweave,
  sum,
  Tag,
  type TimeSeries,
  Timestamp,
  table,
  Version,
} from '@storeweave/core';
import { embedded } from '@storeweave/embedded';

// #region entities
export class Address {
  @Property('string') street!: string;
  @Property('string') city!: string;
}

@Relational()
export class Customer {
  declare readonly [optional]: Defaults<'active'>; // create() may leave these out

  @Id() id!: string; // UUIDv7, made by the application
  @Property('string', { unique: true }) email!: string;
  @Property('boolean', { default: true }) active!: boolean;
  @Embedded(() => Address, { nullable: true }) home!: Address | null;
  @Version() version!: number;
  @CreatedAt() createdAt!: Date;

  @OneToMany(
    () => Order,
    (order) => order.customer,
  )
  orders!: Collection<Order>;
  @Related(() => Customer, 'RECOMMENDED') recommended!: Collection<Customer>;
  @Series(
    () => Visit,
    (visit) => visit.customer,
  )
  visits!: TimeSeries<Visit>;
}

@Relational()
export class Order {
  @Id() id!: string;
  @Property('decimal', { precision: 10, scale: 2 }) total!: string;
  @ManyToOne(() => Customer) customer!: Ref<Customer>;
}

@Document()
export class Preferences {
  @Id() id!: string;
  @Property('uuid') customer!: string;
  @Property('string', { array: true }) tags!: string[];
  @Property('integer') mails!: number;
}

@Measurement()
export class Visit {
  @Timestamp() at!: Date;
  @Tag('uuid') customer!: string;
  @Field() seconds!: number;
}
// #endregion entities

// #region no-decorators
export class Coupon extends defineEntity({
  name: 'Coupon',
  model: 'relational',
  props: { id: p.id(), code: p.string({ unique: true }), percent: p.integer({ default: 10 }) },
}) {
  isLarge(): boolean {
    return this.percent >= 50;
  }
}
// #endregion no-decorators

export async function openInMemory(): Promise<Storeweave> {
  // #region open
  const weave = await Storeweave.open({
    entities: [Customer, Order, Preferences, Visit, Coupon],
    stores: embedded(), // in memory; { path } keeps it in a folder, { url } is a PostgreSQL server
  });
  // #endregion open
  return weave;
}

export async function write(weave: Storeweave): Promise<string> {
  // #region write
  const plan = await weave.transaction({ actor: 'alice', timeoutMs: 5_000 }, async (uow) => {
    const ada = uow.create(Customer, { email: 'ada@example.org', home: { street: 'Long 1', city: 'Leeds' } });
    const bob = uow.create(Customer, { email: 'bob@example.org' });
    uow.create(Order, { customer: ada, total: '19.90' });
    uow.create(Order, { customer: ada, total: '5.00' });
    uow.create(Preferences, { customer: ada.id, tags: ['looms'], mails: 0 });
    ada.recommended.add(bob);
    ada.visits.add({ at: new Date('2025-05-01T10:00:00Z'), seconds: 30 });
    return uow.plan(); // what the commit is going to do, as data; String(plan) for people
  });
  // #endregion write
  return String(plan);
}

export async function change(weave: Storeweave): Promise<boolean> {
  // #region change
  await weave.transaction(async (uow) => {
    const ada = await uow.repository(Customer).findOneOrFail({ where: { email: 'ada@example.org' } });
    ada.active = false; // found by comparison at the commit; nothing to call
  });
  // #endregion change

  // #region session
  await using session = weave.session();
  const mine = await session.repository(Customer).findOneOrFail({ where: { email: 'ada@example.org' } });
  await weave.repository(Customer).update({ id: mine.id }, { active: true }); // someone else is quicker
  mine.email = 'countess@example.org';
  const refused = await session.commit().then(
    () => false,
    (error) => error instanceof OptimisticLockError,
  );
  // #endregion session
  return refused;
}

export async function read(weave: Storeweave): Promise<unknown[]> {
  // #region find
  const customers = weave.repository(Customer);
  const inLeeds = await customers.find({
    where: { active: true, home: { city: 'Leeds' }, orders: { total: { gte: '10' } } },
    populate: ['orders', 'recommended.orders'],
    related: { orders: { orderBy: { total: 'desc' }, limit: 3 } }, // three of each customer
    orderBy: { email: 'asc' },
  });
  const emails = await customers.find({ select: ['email', 'home.city'] }); // plain rows, typed to the selection
  // #endregion find

  // #region page
  const first = await customers.page({ first: 1, orderBy: { email: 'asc' } });
  const second = await customers.page({ first: 1, orderBy: { email: 'asc' }, after: first.pageInfo.endCursor });

  let seen = 0;
  for await (const customer of customers.stream({ where: { active: true } })) seen += customer.email.length;
  // #endregion page
  return [
    inLeeds.map((customer) => [customer.email, customer.orders.items.map(({ total }) => total)]),
    emails.length,
    [...first.items, ...second.items].map(({ email }) => email),
    seen,
  ];
}

export async function models(weave: Storeweave): Promise<unknown[]> {
  const { id } = await weave.repository(Customer).findOneOrFail({ where: { email: 'ada@example.org' } });
  // #region graph
  const ways = await weave.graph(Customer).traverse({ from: id, via: 'recommended', depth: [1, 3] });
  // #endregion graph

  // #region series
  const days = await weave.series(Visit).window({
    where: { customer: id },
    every: '1d',
    select: { visits: count(), mean: mean('seconds') },
  });
  // #endregion series

  // #region documents
  await weave.documents(Preferences).patch({ customer: id }, { inc: { mails: 1 }, push: { tags: 'numbers' } });
  // #endregion documents

  // #region relational
  const spent = await weave.relational(Order).query({
    select: { email: 'customer.email', total: sum('total') },
    orderBy: { total: 'desc' },
  });
  const [row] = await weave.relational(Order).sql<{ n: number }>`
    select count(*)::int as n from ${table(Order)} where total > ${'10'}`;
  // #endregion relational
  const preferences = await weave.repository(Preferences).findOneOrFail({ where: { customer: id } });
  return [ways.map(({ depth }) => depth), days, [preferences.mails, preferences.tags], spent, row?.n];
}

export async function schema(weave: Storeweave): Promise<string> {
  // #region schema
  const plan = await weave.schema.plan(); // empty after open(); String(plan) lists the steps
  // #endregion schema
  return String(plan);
}
