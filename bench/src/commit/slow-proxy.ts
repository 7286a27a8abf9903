/**
 * Stands between a client and a server, holds everything back for a while in both directions, and counts trips: how often
 * a client says something after it was answered. What is pipelined is one trip.
 */
import type { Socket } from 'node:net';
import { TcpProxy } from '@storeweave/testing/servers';

export class SlowProxy extends TcpProxy {
  /** Since it began. */
  trips = 0;

  /** `delayMs`: one way, in milliseconds. */
  constructor(
    url: string,
    private readonly delayMs: number,
  ) {
    super(url);
  }

  protected join(client: Socket, server: Socket): void {
    let isAnswered = true;
    client.on('data', (data) => {
      if (isAnswered) this.trips++;
      isAnswered = false;
      this.#later(server, data);
    });
    server.on('data', (data) => {
      isAnswered = true;
      this.#later(client, data);
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }

  /** Timers of one length end in the order of their start, so nothing overtakes. */
  #later(to: Socket, data: Buffer): void {
    if (this.delayMs === 0) to.write(data);
    else setTimeout(() => to.writable && to.write(data), this.delayMs);
  }
}
