export { DataSourceConnections } from './connections.js';
export type { MigrationFormat } from './migrations/migration-file.js';
export {
  type GeneratedMigration,
  type GenerateOptions,
  type MigrationOptions,
  Migrations,
  migrations,
} from './migrations/migrations.js';
export type { AcquireHook, TypeormOptions } from './options.js';
export { typeorm } from './typeorm.js';
export { TypeormStore } from './typeorm-store.js';
