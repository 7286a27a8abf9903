/**
 * The shop itself, over all four models: customers and orders are relational, profiles and opinions documents, who knows
 * whom a graph, and each visit a point in time.
 */
import {
  type Collection,
  type Defaults,
  Document,
  Field,
  Id,
  identity,
  ManyToMany,
  ManyToOne,
  Measurement,
  OneToMany,
  OneToOne,
  optional,
  Property,
  type Ref,
  Related,
  Relational,
  Series,
  Tag,
  type TimeSeries,
  Timestamp,
  Version,
} from '@storeweave/core';

@Relational({ table: 'customers' })
export class Customer {
  declare readonly [optional]: Defaults<'points'>;
  @Id() id!: string;
  @Property('string', { unique: true }) email!: string;
  @Property('string') name!: string;
  @Property('integer', { default: 0 }) points!: number;
  @Version() version!: number;
  @OneToMany(
    () => Order,
    (order) => order.customer,
    { cascade: ['persist', 'remove'] },
  )
  orders!: Collection<Order>;
  @OneToOne(
    () => Profile,
    (profile) => profile.customer,
    { cascade: ['persist', 'remove'] },
  )
  profile!: Ref<Profile>;
  @OneToMany(
    () => Opinion,
    (opinion) => opinion.author,
  )
  opinions!: Collection<Opinion>;
  @ManyToMany(() => Product) favourites!: Collection<Product>;
  @Related(() => Customer, 'KNOWS', { direction: 'both' }) friends!: Collection<Customer>;
  @Related(() => Customer, 'FOLLOWS') follows!: Collection<Customer>;
  @Related(() => Customer, 'FOLLOWS', { direction: 'in' }) followers!: Collection<Customer>;
  @Series(
    () => Visit,
    (visit) => visit.customerId,
  )
  visits!: TimeSeries<Visit>;
}

@Relational({ table: 'orders' })
export class Order {
  @Id() id!: string;
  @Property('string') status!: string;
  @Property('integer') total!: number;
  @Version() version!: number;
  @ManyToOne(() => Customer) customer!: Ref<Customer>;
  @OneToMany(
    () => Line,
    (line) => line.order,
    { cascade: ['persist', 'remove'], orphanRemoval: true },
  )
  lines!: Collection<Line>;
}

@Relational({ table: 'lines' })
export class Line {
  @Id() id!: string;
  @Property('integer') quantity!: number;
  @ManyToOne(() => Order) order!: Ref<Order>;
  @ManyToOne(() => Product) product!: Ref<Product>;
}

@Relational({ table: 'products' })
export class Product {
  declare readonly [identity]: 'sku';
  declare readonly [optional]: Defaults<'price'>;
  @Id('string') sku!: string;
  @Property('string') name!: string;
  @Property('integer', { default: 0 }) price!: number;
  @ManyToMany(() => Customer, { mappedBy: (customer) => customer.favourites }) fans!: Collection<Customer>;
  @OneToMany(
    () => Opinion,
    (opinion) => opinion.product,
  )
  opinions!: Collection<Opinion>;
}

@Document({ collection: 'profiles' })
export class Profile {
  @Id() id!: string;
  @Property('string') bio!: string;
  @Property('json', { nullable: true }) settings!: unknown;
  @OneToOne(() => Customer) customer!: Ref<Customer>;
}

@Document({ collection: 'opinions' })
export class Opinion {
  declare readonly [optional]: Defaults<'labels' | 'votes'>;
  @Id() id!: string;
  @Property('integer') stars!: number;
  @Property('string', { nullable: true }) text!: string | null;
  @Property('json', { nullable: true }) data!: unknown;
  @Property('string', { array: true, default: () => [] }) labels!: string[];
  @Property('integer', { default: 0 }) votes!: number;
  @Version() version!: number;
  @ManyToOne(() => Customer, { nullable: true }) author!: Ref<Customer>;
  @ManyToOne(() => Product, { nullable: true }) product!: Ref<Product>;
}

@Measurement({ name: 'visits' })
export class Visit {
  @Timestamp() at!: Date;
  @Tag('uuid') customerId!: string;
  @Field('integer') pages!: number;
  @Field('float', { nullable: true }) minutes!: number | null;
}
