/**
 * A door before a server: clients come by an address of ours, and what goes on between them and the server is a
 * subclass's choice. What a server of one's own never does, a network does: lose, hold, delay, cut.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export abstract class TcpProxy {
  readonly #sockets = new Set<Socket>();
  readonly #door: Server;
  readonly #target: URL;

  /** Stands before the server of `url` once it listens. */
  constructor(url: string) {
    this.#target = new URL(url);
    this.#door = createServer((client) => {
      const server = connect({ host: this.#target.hostname, port: Number(this.#target.port) });
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      this.join(client, server);
    });
  }

  /** A client has come, and has a connection to the server: says what passes, and whose end ends the other. */
  protected abstract join(client: Socket, server: Socket): void;

  /** Lets clients in, at a free port. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#door.once('error', reject);
      this.#door.listen(0, '127.0.0.1', resolve);
    });
    return this;
  }

  /** The server's URL with the proxy's address. */
  get url(): string {
    const address = this.#door.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
    return Object.assign(new URL(this.#target), { hostname: '127.0.0.1', port: String(address.port) }).href;
  }

  /** Cuts off everyone, and listens no more. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#door.close(resolve));
  }
}
