/**
 * Stands between a client and a server, holds everything back for a while in both directions, and counts trips: how often
 * a client says something after it was answered. What is pipelined is one trip.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class SlowProxy {
  /** Since it began. */
  trips = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(
    private readonly target: { readonly host: string; readonly port: number },
    /** One way, in milliseconds. */
    private readonly delayMs: number,
  ) {
    this.#server = createServer((client) => this.#serve(client));
  }

  static async before(url: string, delayMs: number): Promise<SlowProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new SlowProxy({ host: hostname, port: Number(port) }, delayMs);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The URL that leads through it. */
  through(url: string): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
    return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(address.port) }).href;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const server = connect({ ...this.target, noDelay: true });
    client.setNoDelay(true);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    }
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
