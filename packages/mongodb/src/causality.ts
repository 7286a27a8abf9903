/**
 * What this process has seen of the database's time, so that later sessions begin there: a read on a secondary then
 * waits until it has what was written or read before. As a text it travels to other processes, in a cookie or header.
 */
import { InvalidQueryError } from '@storeweave/core';
import { BSON, type ClientSession, type ClusterTime, Timestamp } from 'mongodb';

export class Causality {
  #operationTime: Timestamp | undefined;
  #clusterTime: ClusterTime | undefined;

  /** Takes over what a session has seen. */
  note({ operationTime, clusterTime }: Pick<ClientSession, 'operationTime' | 'clusterTime'>): void {
    if (operationTime !== undefined && this.#isLater(operationTime, this.#operationTime)) {
      this.#operationTime = operationTime;
    }
    if (clusterTime !== undefined && this.#isLater(clusterTime.clusterTime, this.#clusterTime?.clusterTime)) {
      this.#clusterTime = clusterTime;
    }
  }

  /** Lets a session begin no earlier than what was seen. */
  advance(session: ClientSession): void {
    if (this.#clusterTime !== undefined) session.advanceClusterTime(this.#clusterTime);
    if (this.#operationTime !== undefined) session.advanceOperationTime(this.#operationTime);
  }

  /** Undefined before the first call, and on a server without a replication log. */
  token(): string | undefined {
    if (this.#operationTime === undefined) return undefined;
    const text = BSON.EJSON.stringify({ at: this.#operationTime, cluster: this.#clusterTime });
    return Buffer.from(text).toString('base64url');
  }

  /** Throws `InvalidQueryError` for a text that is no token. */
  observe(token: string): void {
    try {
      const seen = BSON.EJSON.parse(Buffer.from(token, 'base64url').toString()) as {
        at: unknown;
        cluster?: ClusterTime;
      };
      if (seen.at instanceof Timestamp) {
        this.note({ operationTime: seen.at, clusterTime: seen.cluster });
        return;
      }
    } catch {
      // not even JSON
    }
    throw new InvalidQueryError('The causal token is not one of this store. Pass it as it was given.');
  }

  #isLater(time: Timestamp, than: Timestamp | undefined): boolean {
    return than === undefined || time.greaterThan(than);
  }
}
