export { type MemoryDomain, type MemoryDomainOptions, memoryDomain } from './memory/domain.js';
export {
  type MemoryNative,
  type MemoryStore,
  type MemoryStoreOptions,
  memoryStore,
  type OptionalPart,
  type StoreCall,
} from './memory/store.js';
