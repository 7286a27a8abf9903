/** `@storeweave/testing/contract`: the contract suite, and the fictional domain that its tests are about. */
export {
  type Bound,
  type ContractCase,
  type ContractContext,
  can,
  concurrent,
  type Excuse,
  has,
  model as keeps,
  type Need,
  savepoints,
  test as contractCase,
  together,
  transactions,
} from './contract/case.js';
export { contractCases } from './contract/cases.js';
export { contract, type TestFramework } from './contract/contract.js';
export * from './contract/domain/article.js';
export { type DomainGroup, domainGroups } from './contract/domain/groups.js';
export * from './contract/domain/keys.js';
export * from './contract/domain/matrix.js';
export * from './contract/domain/network.js';
export * from './contract/domain/readings.js';
export * from './contract/domain/shop.js';
export * from './contract/domain/specimen.js';
export type { OpenStores } from './contract/fixture.js';
export type { RecordedCall } from './contract/recorder.js';
export { type ContractOptions, type ContractReport, type RunOptions, runContract } from './contract/run.js';
