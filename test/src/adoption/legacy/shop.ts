/** The team's `DataSource`: its entities and its own migrations. */
import { DataSource } from 'typeorm';
import {
  Badge,
  Category,
  Coupon,
  Order,
  OrderLine,
  Product,
  Profile,
  Remark,
  Setting,
  Team,
  User,
  Visit,
} from './entities.js';
import { Shop1700000000000 } from './migrations/1700000000000-Shop.js';
import { Remarks1710000000000 } from './migrations/1710000000000-Remarks.js';

export const entities = [
  User,
  Team,
  Profile,
  Badge,
  Category,
  Product,
  Order,
  OrderLine,
  Remark,
  Visit,
  Setting,
  Coupon,
] as const;

export async function openShop(url: string): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    entities: [...entities],
    migrations: [Shop1700000000000, Remarks1710000000000],
    installExtensions: false,
    uuidExtension: 'pgcrypto',
  });
  await dataSource.initialize();
  await dataSource.runMigrations();
  return dataSource;
}
