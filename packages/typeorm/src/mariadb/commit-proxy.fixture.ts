/**
 * Stands between a client and a MariaDB, lets everything pass but COMMIT, and cuts the client off when that comes. What
 * happens to the COMMIT itself is the test's choice: it reaches the server (at once or later), or never.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

type CommitFate = 'pass' | 'lose answer' | 'lose request' | 'hold';

/** Length 7, first packet, COM_QUERY. */
const COMMIT = Buffer.concat([Buffer.from([7, 0, 0, 0, 3]), Buffer.from('commit')]);

export class CommitProxy {
  fate: CommitFate = 'pass';
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #held: ((isSent: boolean) => void) | undefined;

  private constructor(private readonly target: URL) {
    this.#server = createServer((client) => this.#serve(client));
  }

  static async listen(target: string): Promise<CommitProxy> {
    const proxy = new CommitProxy(new URL(target));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
    return Object.assign(new URL(this.target.href), { hostname: '127.0.0.1', port: String(address.port) }).href;
  }

  /** What becomes of the COMMIT that is held: sent on, or lost with its connection. */
  release(isSent: boolean): void {
    if (this.#held === undefined) throw new Error('No COMMIT is held.');
    this.#held(isSent);
    this.#held = undefined;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    let isCut = false;
    server.on('data', (data) => !isCut && client.write(data));
    server.on('close', () => client.destroy());
    client.on('close', () => !isCut && server.destroy());
    client.on('data', (data) => {
      if (this.fate === 'pass' || !data.equals(COMMIT)) {
        server.write(data);
        return;
      }
      isCut = true;
      client.destroy();
      if (this.fate === 'lose answer') server.write(data);
      else if (this.fate === 'lose request') server.destroy();
      else this.#held = (isSent) => (isSent ? server.write(data) : server.destroy());
      this.fate = 'pass';
    });
  }
}
