/**
 * The parts of a `pg` client that the domain uses, told by structure: this package depends on no driver, and a client
 * of a TypeORM pool, of a pg pool or of PGlite's adapter all have them.
 */
import { connect } from 'node:net';

export interface PgQueryConfig {
  readonly text: string;
  readonly values?: (string | null)[];
  readonly name?: string;
  readonly rowMode?: 'array';
  readonly types?: { getTypeParser(oid: number, format?: unknown): (text: string) => unknown };
}

export interface PgAnswer {
  /** First word of the server's command tag: `SELECT`, `COMMIT`. */
  readonly command: string | null;
  readonly rowCount: number | null;
  readonly rows: (string | null)[][];
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

export interface PgClient {
  query(config: PgQueryConfig): Promise<PgAnswer | PgAnswer[]>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A client beside those of a pool, for what lasts longer than anybody has one on loan. */
export interface PgLoneClient extends PgClient {
  connect(): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: { readonly payload?: string }) => void): unknown;
  unref?(): void;
  readonly connection?: { readonly stream?: { destroy?(): unknown } };
}

/** What a request for a connection is for; handed to whoever owns the connections, and to a gate before it. */
export interface AcquireRequest {
  /** `statement`: one call; `transaction`: until its end; `native`: by hand, by the user of the driver's own object. */
  readonly purpose: 'statement' | 'transaction' | 'native';
  /** Who asks, for messages about who holds what. */
  readonly label: string;
  /** Limit on the wait, in milliseconds; the owner's own limit if absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What the driver's own object needs to know of the transaction that it is enlisted in. */
export interface EnlistedSession {
  /** Runs work on the client when no statement of anyone else is under way. */
  exclusively<R>(work: () => Promise<R>): Promise<R>;
}

/** One connection on loan. */
export interface PgConnection {
  readonly client: PgClient;
  /** The driver's own object enlisted in this transaction, as `Store.native` hands it out; asked at most once. */
  native(session: EnlistedSession): unknown;
  /** Gives it back; a broken one is ended and not used again. */
  release(broken: boolean): void;
}

/** Whoever owns the connections. */
export interface PgConnections {
  open(): Promise<void>;
  close(): Promise<void>;
  acquire(request: AcquireRequest): Promise<PgConnection>;
  /** A new client with the same options, not connected yet; undefined where it cannot be made. Absent: there is none to be had. */
  lone?(): PgLoneClient | undefined;
  readonly native: unknown;
}

interface SocketClient {
  readonly host?: string;
  readonly port?: number;
  readonly processID?: number | null;
  readonly secretKey?: number | null;
  readonly connection?: { readonly stream?: { readonly write?: unknown } };
}

/** True where a server of its own answers; false for a PGlite, which runs in this thread. */
export function isRemote(client: PgClient): boolean {
  return typeof (client as unknown as SocketClient).connection?.stream?.write === 'function';
}

/** The server's number of this client's session; undefined where the server is in this thread, or does not say. */
export function backendOf(client: PgClient): number | undefined {
  const { processID } = client as unknown as SocketClient;
  return isRemote(client) ? (processID ?? undefined) : undefined;
}

/**
 * Asks the server to stop what this client's session runs, over a connection of its own. Does nothing for a client
 * without a socket (PGlite runs in this thread: by the time that anybody could ask, it has answered).
 */
export function cancelRunning(client: PgClient): void {
  const { host, port, processID, secretKey } = client as unknown as SocketClient;
  if (!isRemote(client) || typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80_877_102, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const socket = host?.startsWith('/')
    ? connect(`${host}/.s.PGSQL.${port}`)
    : connect(port ?? 5432, host ?? 'localhost');
  // The statement ends by itself where the request does not arrive.
  socket.on('error', () => socket.destroy());
  socket.on('connect', () => socket.end(request));
  socket.unref();
}
