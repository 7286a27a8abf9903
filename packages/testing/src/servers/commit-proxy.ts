/**
 * Stands between a client and a server, lets everything pass but COMMIT, and cuts the client off when that comes. What
 * happens to the COMMIT itself is the test's choice: it reaches the server (at once or later), or never. By this a test
 * finds out whether a store says that it does not know what it cannot know.
 */
import type { Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.js';

/**
 * What becomes of a COMMIT: it passes, and is answered; it reaches the server and its client is cut off; it is lost with
 * its connection; or it is held until `release`.
 */
export type CommitFate = 'pass' | 'lose answer' | 'lose request' | 'hold';

export class CommitProxy extends TcpProxy {
  #fate: CommitFate = 'pass';
  /** After a cut nothing gets through until the next fate is told: a dead client repeats no COMMIT, and cancels none. */
  #isDown = false;
  #held: ((isSent: boolean) => void) | undefined;
  #onCut: (() => void) | undefined;

  /** `isCommit` says of what a client sends at one time, in the server's protocol, whether a COMMIT is in it. */
  constructor(
    url: string,
    private readonly isCommit: (data: Buffer) => boolean,
  ) {
    super(url);
  }

  /** For every COMMIT from now on; after a cut it also lets clients in again. */
  set fate(fate: CommitFate) {
    this.#fate = fate;
    this.#isDown = false;
  }

  /** Resolves when the next COMMIT has come and its client was cut off. */
  cut(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCut = resolve;
    });
  }

  /** What becomes of the COMMIT that is held: sent on, or lost with its connection. */
  release(isSent: boolean): void {
    if (this.#held === undefined) throw new Error('No COMMIT is held.');
    this.#held(isSent);
    this.#held = undefined;
  }

  protected join(client: Socket, server: Socket): void {
    if (this.#isDown) {
      client.destroy();
      server.destroy();
      return;
    }
    let isCut = false;
    server.on('data', (data) => !isCut && client.write(data));
    server.on('close', () => client.destroy());
    client.on('close', () => !isCut && server.destroy());
    client.on('data', (data) => {
      if (this.#isDown && !isCut) {
        client.destroy();
        return;
      }
      if (this.#fate === 'pass' || !this.isCommit(data)) {
        server.write(data);
        return;
      }
      isCut = true;
      this.#isDown = true;
      client.destroy();
      if (this.#fate === 'lose answer') server.write(data);
      else if (this.#fate === 'lose request') server.destroy();
      else this.#held = (isSent) => (isSent ? server.write(data) : server.destroy());
      this.#onCut?.();
    });
  }
}
