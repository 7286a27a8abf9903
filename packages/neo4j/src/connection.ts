/**
 * Life of the driver: opened by the first store that is, closed by the last. What the server can do is asked when it is
 * reached, not assumed; after a restart of the server the driver drops its dead connections by itself and makes new
 * ones, so that nothing here has to be opened again. Bookmarks of every transaction are kept, and every later one waits
 * until the server it is sent to has seen them.
 */
import { ConfigurationError, InvalidQueryError } from '@storeweave/core';
import neo4j, { type BookmarkManager, type Config, type Driver, type Session } from 'neo4j-driver';
import { mapError } from './errors.js';
import type { GraphNames } from './names.js';

/** What servers give as bookmarks. */
const BOOKMARK = /^(FB:|neo4j:)[\w:+/=-]+$/;

export interface ConnectionOptions {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly database?: string;
  readonly poolSize?: number;
  readonly acquireTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly driver?: Config;
}

/** The first release with both unique constraints on relationships and quantified patterns. */
const OLDEST = [5, 9] as const;

export class Connection {
  #driver: Driver | undefined;
  #opening: Promise<void> | undefined;
  #users = 0;
  #bookmarks: BookmarkManager;
  #version = '';

  constructor(
    private readonly options: ConnectionOptions,
    private readonly names: GraphNames,
  ) {
    this.#bookmarks = neo4j.bookmarkManager();
  }

  /** As the server says it: `5.26.30`. Empty before the first `open`. */
  get version(): string {
    return this.#version;
  }

  get driver(): Driver {
    if (this.#driver === undefined)
      throw new ConfigurationError(`The connection to ${this.options.url} is not open: open the store first.`);
    return this.#driver;
  }

  async open(): Promise<void> {
    this.#users++;
    this.#opening ??= this.#connect();
    try {
      await this.#opening;
    } catch (error) {
      this.#users--;
      this.#opening = undefined;
      const driver = this.#driver;
      this.#driver = undefined;
      await driver?.close();
      throw mapError(error, this.names);
    }
  }

  async close(): Promise<void> {
    if (this.#users === 0 || --this.#users > 0) return;
    this.#opening = undefined;
    const driver = this.#driver;
    this.#driver = undefined;
    await driver?.close();
  }

  session(mode: 'READ' | 'WRITE'): Session {
    return this.driver.session({
      defaultAccessMode: mode,
      bookmarkManager: this.#bookmarks,
      ...(this.options.database === undefined ? {} : { database: this.options.database }),
    });
  }

  /** Bookmarks of what was committed last, as one text: whoever waits for them sees it. Undefined where there are none. */
  async token(): Promise<string | undefined> {
    const bookmarks = [...(await this.#bookmarks.getBookmarks())];
    return bookmarks.length === 0 ? undefined : bookmarks.join(' ');
  }

  /** Lets everything that is sent from now on wait for these bookmarks as well. */
  async observe(token: string): Promise<void> {
    const bookmarks = token.split(' ');
    // The server would refuse every call from then on.
    if (!bookmarks.every((bookmark) => BOOKMARK.test(bookmark))) {
      throw new InvalidQueryError('The causal token is not one of Neo4j. Pass it as it was given.');
    }
    await this.#bookmarks.updateBookmarks([], bookmarks);
  }

  async #connect(): Promise<void> {
    const { url, username, password, poolSize, acquireTimeoutMs, connectTimeoutMs, database, driver } = this.options;
    const auth = username === undefined ? undefined : neo4j.auth.basic(username, password ?? '');
    this.#driver = neo4j.driver(url, auth, {
      maxConnectionPoolSize: poolSize ?? 50,
      connectionAcquisitionTimeout: acquireTimeoutMs ?? 30_000,
      connectionTimeout: connectTimeoutMs ?? 10_000,
      // A connection that was idle for longer is tried before it is trusted: the server may have been restarted.
      connectionLivenessCheckTimeout: 5_000,
      telemetryDisabled: true,
      ...driver,
      // The core decides what is retried, and whole numbers must not lose digits.
      maxTransactionRetryTime: 0,
      useBigInt: true,
    });
    const session = this.session('READ');
    try {
      const { records } = await session.run('CALL dbms.components() YIELD versions RETURN versions[0]');
      this.#version = String(records[0]?.get(0) ?? '');
    } finally {
      await session.close();
    }
    const [major = 0, minor = 0] = this.#version.split('.').map(Number);
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
      throw new ConfigurationError(
        `Neo4j ${OLDEST.join('.')} or later is needed (unique constraints on relationships, quantified patterns), and ${url}${database === undefined ? '' : ` (database ${database})`} is ${this.#version}.`,
      );
    }
  }
}
