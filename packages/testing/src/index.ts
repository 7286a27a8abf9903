export { diesAt } from './chaos/dies-at.js';
export type { ChaosDomain, ChaosTransaction } from './chaos/domain.js';
export { type ChaosCall, ChaosPlan, type ChaosRule, type Patience } from './chaos/plan.js';
export { type ChaosStore, chaosStore } from './chaos/store.js';
export { type MemoryDomain, type MemoryDomainOptions, memoryDomain } from './memory/domain.js';
export {
  type MemoryNative,
  type MemoryStore,
  type MemoryStoreOptions,
  memoryStore,
  type OptionalPart,
  type StoreCall,
} from './memory/store.js';
