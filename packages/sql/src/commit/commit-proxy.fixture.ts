/** The proxy that loses COMMITs, before a PostgreSQL: COMMIT, and PREPARE TRANSACTION, as its clients send them. */
import { CommitProxy } from '@storeweave/testing/servers';

export const commitProxy = (url: string): Promise<CommitProxy> => new CommitProxy(url, isCommit).listen();

/** The client waits for each answer, so a COMMIT comes alone, or behind the last statement of its transaction. */
function isCommit(data: Buffer): boolean {
  const type = data.toString('latin1', 0, 1);
  if (type === 'Q') return /^(commit$|prepare transaction )/.test(data.toString('utf8', 5, data.length - 1));
  return (type === 'P' || type === 'B') && data.includes('\0commit\0');
}
