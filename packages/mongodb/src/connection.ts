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

/** Where calls go. A transaction stays where it began. */
export interface Place {
  readonly client: MongoClient;
  readonly db: Db;
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
  #place: Place | undefined;
  /** Clients that have lost their servers; their last calls may still be waiting. */
  readonly #retired: MongoClient[] = [];
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

  /** Client and database, with majority reads and writes. Throws `InvalidStateError` while the store is not open. */
  get place(): Place {
    if (this.#place === undefined) {
      throw new InvalidStateError(`The MongoDB store of "${this.database}" is not open.`);
    }
    return this.#place;
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
    const client = this.options.client ?? this.#createClient();
    this.#place = this.#placeOf(client, true);
    await client.connect();
    const admin = this.#place.db.admin();
    const hello = await admin.command({ hello: 1 });
    const { version } = await admin.command({ buildInfo: 1 });
    const deployment = deploymentOf(hello, String(version));
    this.#check(deployment, hello);
    // A standalone server knows no majority.
    this.#place = this.#placeOf(client, deployment.kind !== 'standalone');
    this.#deployment = deployment;
    return deployment;
  }

  /**
   * A driver forgets a member of a replica set that says it is none, as one does that is started for maintenance, and
   * with its last server it never looks for any again. Such a client is replaced.
   */
  #createClient(): MongoClient {
    const client = new MongoClient(this.options.url ?? '', this.options.clientOptions);
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      if (newDescription.servers.size > 0 || this.#place?.client !== client || this.#users === 0) return;
      this.#retired.push(client);
      this.#place = this.#placeOf(this.#createClient(), this.#deployment?.kind !== 'standalone');
    });
    return client;
  }

  #placeOf(client: MongoClient, majority: boolean): Place {
    const concerns = { readConcern: new ReadConcern('majority'), writeConcern: { w: 'majority' } } as const;
    return { client, db: client.db(this.database, { ...FORMS, ...(majority ? concerns : {}) }) };
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
    const clients = this.#retired.splice(0);
    const current = this.#place?.client;
    this.#place = undefined;
    if (current !== undefined && current !== this.options.client) clients.push(current);
    await Promise.all(clients.map((client) => client.close()));
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
