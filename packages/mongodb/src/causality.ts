/**
 * What this process has seen of the database's time, so that later sessions begin there: a read on a secondary then
 * waits until it has what was written or read before. As a text it travels to other processes, in a cookie or header.
 */
import { InvalidQueryError } from '@storeweave/core';
import { BSON, type ClientSession, type ClusterTime, Timestamp } from 'mongodb';

export class Causality {
  #operationTime: Timestamp | undefined;
  #clusterTime: ClusterTime | undefined;
  /** Sessions whose time still counts: those that began before it was forgotten would bring it back. */
  #begun = new WeakSet<object>();

  /** Takes over what a session has seen. */
  note(session: ClientSession): void {
    if (this.#begun.has(session)) this.#take(session);
  }

  /**
   * A server that was restarted without its last moments, or restored, does not know the time that was seen of it, and
   * its refusal tells the time that it has. That one is taken, and not none: the driver keeps the last time that it sent
   * in the read concern that all calls share, and only overwrites it.
   */
  restart(refusal: unknown): void {
    const { operationTime, $clusterTime } = refusal as { operationTime?: unknown; $clusterTime?: ClusterTime };
    this.#operationTime = operationTime instanceof Timestamp ? operationTime : undefined;
    this.#clusterTime = $clusterTime;
    this.#begun = new WeakSet();
  }

  #take({ operationTime, clusterTime }: Pick<ClientSession, 'operationTime' | 'clusterTime'>): void {
    if (operationTime !== undefined && this.#isLater(operationTime, this.#operationTime)) {
      this.#operationTime = operationTime;
    }
    if (clusterTime !== undefined && this.#isLater(clusterTime.clusterTime, this.#clusterTime?.clusterTime)) {
      this.#clusterTime = clusterTime;
    }
  }

  /** Lets a session begin no earlier than what was seen. */
  advance(session: ClientSession): void {
    this.#begun.add(session);
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
        this.#take({ operationTime: seen.at, clusterTime: seen.cluster });
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
