/**
 * The client's life, and what the deployment behind it can do: asked at `open()`, never assumed. The driver finds a
 * restarted or newly elected server by itself, so nothing has to be opened again; what was under way fails with an error
 * that says whether it may be done again.
 */
import { ConfigurationError, InvalidStateError } from '@storeweave/core';
import { type Db, type Document, MongoClient, type MongoClientOptions, ReadConcern } from 'mongodb';
import { mapError } from './errors.js';

/** What answered at `open()`. */
export interface Deployment {
  readonly kind: 'replica set' | 'sharded' | 'standalone';
  /** As the server says it: `8.0.4`. */
  readonly version: string;
  /** Transactions over several documents; a standalone server has none. */
  readonly transactions: boolean;
  /** The server's own command for mixed batches (MongoDB 8), which tells the outcome of each operation. */
  readonly bulkCommand: boolean;
}

export interface ConnectionOptions {
  readonly url?: string;
  readonly client?: MongoClient;
  readonly database?: string;
  readonly standalone: 'refuse' | 'accept';
  readonly clientOptions: MongoClientOptions;
}

const OLDEST_WIRE_VERSION = 13; // MongoDB 5.0: $setWindowFields, $getField, keys with dots and dollars
const OLDEST_SHARDED_TRANSACTIONS = 8;
const BULK_COMMAND_WIRE_VERSION = 25;

/** Types as `values.ts` expects them, whatever the client was made with. */
const FORMS = {
  useBigInt64: true,
  promoteLongs: true,
  promoteValues: true,
  promoteBuffers: false,
  raw: false,
} as const;

export class Connection {
  /** Name of the database, once it is known. */
  readonly database: string | undefined;
  #client: MongoClient | undefined;
  #db: Db | undefined;
  #deployment: Deployment | undefined;
  #opening: Promise<Deployment> | undefined;
  #users = 0;

  constructor(private readonly options: ConnectionOptions) {
    const { url, client, database } = options;
    if ((url === undefined) === (client === undefined)) {
      throw new ConfigurationError('mongodb() takes either a url or a client that is shared; give one of them.');
    }
    this.database = database ?? (url === undefined ? client?.options.dbName : databaseOf(url));
    if (this.database === undefined || this.database === '') {
      throw new ConfigurationError(
        'mongodb() does not know which database to use: end the url with its name, or give the option "database".',
      );
    }
  }

  /** The database, with majority reads and writes. Throws `InvalidStateError` before `open()` and after `close()`. */
  get db(): Db {
    if (this.#db === undefined) throw this.#closed();
    return this.#db;
  }

  get client(): MongoClient {
    if (this.#client === undefined) throw this.#closed();
    return this.#client;
  }

  /** Undefined until the server was asked. */
  get deployment(): Deployment | undefined {
    return this.#deployment;
  }

  async open(): Promise<Deployment> {
    this.#users++;
    this.#opening ??= this.#connect();
    try {
      return await this.#opening;
    } catch (error) {
      this.#users--;
      this.#opening = undefined;
      await this.#end();
      throw mapError(error);
    }
  }

  async close(): Promise<void> {
    if (this.#users === 0) return;
    this.#users = 0;
    this.#opening = undefined;
    await this.#end();
  }

  async #connect(): Promise<Deployment> {
    const client = this.options.client ?? new MongoClient(this.options.url ?? '', this.options.clientOptions);
    this.#client = client;
    await client.connect();
    const db = client.db(this.database, {
      ...FORMS,
      readConcern: new ReadConcern('majority'),
      writeConcern: { w: 'majority' },
    });
    const hello = await db.admin().command({ hello: 1 });
    const { version } = await db.admin().command({ buildInfo: 1 });
    const deployment = deploymentOf(hello, String(version));
    this.#check(deployment, hello);
    // A standalone server knows no majority.
    this.#db = deployment.kind === 'standalone' ? client.db(this.database, FORMS) : db;
    this.#deployment = deployment;
    return deployment;
  }

  #check(deployment: Deployment, hello: Document): void {
    if (Number(hello.maxWireVersion) < OLDEST_WIRE_VERSION) {
      throw new ConfigurationError(`MongoDB 5.0 or later is needed, and the server is ${deployment.version}.`);
    }
    if (deployment.transactions || this.options.standalone === 'accept') return;
    throw new ConfigurationError(
      `The MongoDB of "${this.database}" is a ${deployment.kind} server without transactions, so a unit of work could be kept in part. ` +
        'Start it as a replica set (one member is enough: mongod --replSet rs0, then rs.initiate()), ' +
        "or give the option standalone: 'accept' to do without.",
    );
  }

  async #end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#db = undefined;
    if (client !== undefined && client !== this.options.client) await client.close();
  }

  #closed(): InvalidStateError {
    return new InvalidStateError(`The MongoDB store of "${this.database}" is not open.`);
  }
}

function deploymentOf(hello: Document, version: string): Deployment {
  const kind = hello.msg === 'isdbgrid' ? 'sharded' : typeof hello.setName === 'string' ? 'replica set' : 'standalone';
  const wire = Number(hello.maxWireVersion);
  const sessions = hello.logicalSessionTimeoutMinutes !== undefined && hello.logicalSessionTimeoutMinutes !== null;
  return {
    kind,
    version,
    transactions: sessions && (kind === 'replica set' || (kind === 'sharded' && wire >= OLDEST_SHARDED_TRANSACTIONS)),
    bulkCommand: wire >= BULK_COMMAND_WIRE_VERSION,
  };
}

/** The path of a connection string, which may name several hosts and is no URL then. */
function databaseOf(url: string): string | undefined {
  const path = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]*)/.exec(url)?.[1];
  return path === undefined ? undefined : decodeURIComponent(path);
}
