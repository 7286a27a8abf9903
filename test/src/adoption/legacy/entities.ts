/**
 * The entities of a shop, as a team wrote them for TypeORM: generated, natural and composite keys, embedded objects,
 * base classes, enums, transformers, listeners, relations of every kind. Adopted by `@Relational()` on each.
 */
import { type adopted, type Defaults, type identity, type optional, Relational } from '@storeweave/core';
import {
  AfterLoad,
  BaseEntity,
  BeforeInsert,
  Check,
  Column,
  CreateDateColumn,
  DeleteDateColumn,
  Entity,
  Index,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';

export abstract class Timestamped {
  @CreateDateColumn() createdAt!: Date;
  @UpdateDateColumn({ type: 'timestamptz' }) updatedAt!: Date;
}

export abstract class Kept extends Timestamped {
  @DeleteDateColumn() deletedAt!: Date | null;
  @VersionColumn() revision!: number;
}

export class Position {
  @Column('double precision', { nullable: true }) latitude!: number | null;
  @Column('double precision', { name: 'lng', nullable: true }) longitude!: number | null;
}

export class Address {
  @Column('varchar', { nullable: true, length: 80 }) street!: string | null;
  @Column('char', { length: 5, default: '00000' }) zip!: string;
  @Column(() => Position) position!: Position;
}

export enum Role {
  user = 'user',
  admin = 'admin',
}

/** A class of values of its own, by a transformer. */
export class Email {
  constructor(readonly text: string) {}
}

export const email = {
  to: (value: Email | null) => value?.text ?? null,
  from: (value: string | null) => (value === null ? null : new Email(value)),
};

@Relational()
@Entity()
@Index(['lastName', 'firstName'])
@Index(['nick'], { unique: true, where: '"nick" is not null' })
@Check('age_is_sane', '"age" >= 0 AND "age" < 200')
export class User extends Kept {
  declare readonly [adopted]: 'team' | 'profile' | 'orders' | 'badges';
  declare readonly [optional]: Defaults<'role' | 'points' | 'labels' | 'settings' | 'seenAt' | 'revision'>;
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('varchar', { length: 40 }) firstName!: string;
  @Column('varchar', { length: 40 }) lastName!: string;
  @Column('varchar', { nullable: true }) nick!: string | null;
  @Column('varchar', { unique: true, transformer: email }) email!: Email;
  @Column('int', { nullable: true }) age!: number | null;
  @Column('enum', { enum: Role, default: Role.user }) role!: Role;
  @Column('bigint', { default: 0 }) points!: string;
  @Column('text', { array: true, default: [] }) labels!: string[];
  @Column('simple-array', { nullable: true }) hobbies!: string[] | null;
  @Column('jsonb', { default: {} }) settings!: Record<string, unknown>;
  @Column('timestamp', { default: () => 'now()' }) seenAt!: Date;
  @Column('date', { nullable: true }) born!: string | null;
  @Column('bytea', { nullable: true }) avatar!: Buffer | null;
  @Column(() => Address) home!: Address;
  @Column(() => Address, { prefix: 'work_' }) work!: Address;
  @ManyToOne(
    () => Team,
    (team) => team.members,
    { nullable: true, onDelete: 'SET NULL' },
  )
  team!: Team | null;
  @OneToOne(
    () => Profile,
    (profile) => profile.user,
  )
  profile!: Profile | null;
  @OneToMany(
    () => Order,
    (order) => order.buyer,
  )
  orders!: Order[];
  @ManyToMany(
    () => Badge,
    (badge) => badge.holders,
  )
  @JoinTable()
  badges!: Badge[];

  /** Not stored. */
  loaded?: boolean;

  @BeforeInsert()
  tidy(): void {
    this.firstName = this.firstName.trim();
  }

  @AfterLoad()
  note(): void {
    this.loaded = true;
  }
}

@Relational()
@Entity('team')
export class Team extends Timestamped {
  declare readonly [adopted]: 'members' | 'parent' | 'parts';
  @PrimaryGeneratedColumn() id!: number;
  @Column('varchar') name!: string;
  @OneToMany(
    () => User,
    (user) => user.team,
    { cascade: true },
  )
  members!: User[];
  @ManyToOne(
    () => Team,
    (team) => team.parts,
    { nullable: true },
  )
  parent!: Team | null;
  @OneToMany(
    () => Team,
    (team) => team.parent,
  )
  parts!: Team[];
}

@Relational()
@Entity()
export class Profile {
  declare readonly [adopted]: 'user';
  declare readonly [optional]: Defaults<'bio' | 'userId'>;
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('text', { default: '' }) bio!: string;
  @Column('uuid') userId!: string;
  @OneToOne(
    () => User,
    (user) => user.profile,
    { onDelete: 'CASCADE' },
  )
  @JoinColumn()
  user!: User;
}

@Relational()
@Entity('badges', { schema: 'awards' })
export class Badge {
  declare readonly [adopted]: 'holders';
  @PrimaryGeneratedColumn('identity') id!: number;
  @Column('varchar', { length: 20, unique: true }) title!: string;
  @ManyToMany(
    () => User,
    (user) => user.badges,
  )
  holders!: User[];
}

export abstract class Named {
  @Column('varchar') name!: string;
}

@Relational()
@Entity()
export class Category extends Named {
  declare readonly [adopted]: 'products';
  declare readonly [identity]: 'slug';
  @PrimaryColumn('varchar', { length: 30 }) slug!: string;
  @OneToMany(
    () => Product,
    (product) => product.category,
  )
  products!: Product[];
}

@Relational()
@Entity()
@Unique('product_of_maker', ['maker', 'model'])
export class Product extends Named {
  declare readonly [adopted]: 'category' | 'goesWith' | 'suits';
  declare readonly [optional]: Defaults<'facts'>;
  @PrimaryGeneratedColumn() id!: number;
  @Column('varchar') maker!: string;
  @Column('varchar') model!: string;
  @Column('numeric', { precision: 10, scale: 2 }) price!: string;
  @Column('simple-json', { nullable: true }) sizes!: number[] | null;
  @Column('json', { default: () => `'{"new": true}'` }) facts!: Record<string, unknown>;
  @ManyToOne(
    () => Category,
    (category) => category.products,
    { nullable: false, onDelete: 'RESTRICT' },
  )
  category!: Category;
  @ManyToMany(
    () => Product,
    (product) => product.suits,
  )
  @JoinTable({ name: 'product_pairs', joinColumn: { name: 'product' }, inverseJoinColumn: { name: 'other' } })
  goesWith!: Product[];
  @ManyToMany(
    () => Product,
    (product) => product.goesWith,
  )
  suits!: Product[];
}

// #region order
@Relational()
@Entity('orders')
export class Order extends Timestamped {
  declare readonly [adopted]: 'buyer' | 'lines';
  declare readonly [optional]: Defaults<'priority'>;
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('smallint', { default: 1 }) priority!: number;
  @Column('time', { nullable: true }) deliverAt!: string | null;
  @ManyToOne(
    () => User,
    (user) => user.orders,
    { nullable: false, onDelete: 'CASCADE' },
  )
  buyer!: User;
  @OneToMany(
    () => OrderLine,
    (line) => line.order,
    { cascade: ['insert'] },
  )
  lines!: OrderLine[];
}
// #endregion order

@Relational()
@Entity()
export class OrderLine {
  declare readonly [adopted]: 'order' | 'product' | 'remarks';
  declare readonly [optional]: Defaults<'orderId' | 'productId'>;
  declare readonly [identity]: 'orderId' | 'productId';
  @PrimaryColumn('uuid') orderId!: string;
  @PrimaryColumn('int') productId!: number;
  @Column('int') count!: number;
  @ManyToOne(
    () => Order,
    (order) => order.lines,
    { onDelete: 'CASCADE', orphanedRowAction: 'delete' },
  )
  @JoinColumn({ name: 'orderId' })
  order!: Order;
  @ManyToOne(() => Product)
  @JoinColumn({ name: 'productId' })
  product!: Product;
  @OneToMany(
    () => Remark,
    (remark) => remark.line,
  )
  remarks!: Remark[];
}

@Relational()
@Entity()
export class Remark {
  declare readonly [adopted]: 'line' | 'badge';
  @PrimaryGeneratedColumn() id!: number;
  @Column('text') text!: string;
  /** By a composite key whose columns have no properties. */
  @ManyToOne(
    () => OrderLine,
    (line) => line.remarks,
    { nullable: false, onDelete: 'CASCADE' },
  )
  @JoinColumn([
    { name: 'line_product', referencedColumnName: 'productId' },
    { name: 'line_order', referencedColumnName: 'orderId' },
  ])
  line!: OrderLine;
  /** By a column that is unique and no key. */
  @ManyToOne(() => Badge, { nullable: true })
  @JoinColumn({ name: 'badge_title', referencedColumnName: 'title' })
  badge!: Badge | null;
}

@Relational()
@Entity()
export class Visit {
  declare readonly [optional]: Defaults<'at'>;
  @PrimaryGeneratedColumn('increment', { type: 'bigint' }) id!: string;
  @Column({ type: 'inet' }) address!: string;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'CURRENT_TIMESTAMP' }) at!: Date;
}

@Relational()
@Entity()
export class Setting {
  declare readonly [identity]: 'scope' | 'key';
  @PrimaryColumn('varchar') scope!: string;
  @PrimaryColumn('varchar') key!: string;
  @Column('text', { nullable: true }) value!: string | null;
}

/** An entity that saves itself, as TypeORM's active records do. */
@Relational()
@Entity()
export class Coupon extends BaseEntity {
  declare readonly [identity]: 'code';
  @PrimaryColumn('varchar', { length: 12 }) code!: string;
  @Column('numeric', { precision: 4, scale: 2 }) discount!: string;
}
