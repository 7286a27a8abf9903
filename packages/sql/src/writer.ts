/** What runs the write batches of a store. */
import type { WriteBatch, WriteResult } from '@storeweave/core';
import type { SqlSession } from './session.js';

export interface Writer {
  /** True where the batch takes more than one statement, of which nothing may be kept if one fails. */
  needsTransaction(batch: WriteBatch): boolean;
  write(session: SqlSession, batch: WriteBatch): Promise<WriteResult>;
}
