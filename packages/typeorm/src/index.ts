export { DataSourceConnections } from './connections.js';
export type { AcquireHook, TypeormOptions } from './options.js';
export { TypeormStore, typeorm } from './typeorm.js';
