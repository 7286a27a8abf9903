/** Every case of the suite, in the order in which they are run: the plain ones first. */
import type { ContractCase } from './case.js';
import { auditCases } from './cases/audit.js';
import { bulkCases } from './cases/bulk.js';
import { coordinatorCases } from './cases/coordinator.js';
import { documentCases } from './cases/documents.js';
import { edgeCases } from './cases/edges.js';
import { embeddedCases } from './cases/embedded.js';
import { fenceCases } from './cases/fences.js';
import { togetherCases } from './cases/fences-together.js';
import { filterCases } from './cases/filters.js';
import { graphCases } from './cases/graph.js';
import { historyCases } from './cases/histories.js';
import { keyCases } from './cases/keys.js';
import { lockingCases } from './cases/locking.js';
import { preparedCases } from './cases/prepared.js';
import { readingCases } from './cases/reading.js';
import { relationalCases } from './cases/relational.js';
import { relationCases } from './cases/relations.js';
import { schemaCases } from './cases/schema.js';
import { seriesCases } from './cases/series.js';
import { shopCases } from './cases/shop.js';
import { transactionCases } from './cases/transactions.js';
import { typeCases } from './cases/types.js';
import { writeCases } from './cases/writes.js';

export const contractCases: readonly ContractCase[] = [
  ...typeCases,
  ...edgeCases,
  ...keyCases,
  ...writeCases,
  ...embeddedCases,
  ...lockingCases,
  ...filterCases,
  ...readingCases,
  ...bulkCases,
  ...relationCases,
  ...historyCases,
  ...shopCases,
  ...transactionCases,
  ...auditCases,
  ...graphCases,
  ...seriesCases,
  ...fenceCases,
  ...togetherCases,
  ...coordinatorCases,
  ...preparedCases,
  ...documentCases,
  ...relationalCases,
  ...schemaCases,
];
