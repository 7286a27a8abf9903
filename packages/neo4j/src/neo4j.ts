/** The door of the package: a graph store on a Neo4j server. */
import { ConfigurationError } from '@storeweave/core';
import type { Config } from 'neo4j-driver';
import { Neo4jStore } from './store.js';

export interface Neo4jOptions {
  /** Where the server is: `neo4j://host:7687`, `bolt://…`, and `neo4j+s://…` with TLS. */
  readonly url: string;
  /** User and password; leave both out where the server asks for none. */
  readonly username?: string;
  readonly password?: string;
  /** Database on the server. Default: the user's own. */
  readonly database?: string;
  /**
   * Goes before every label, relationship type, constraint and index, so that several applications can share a
   * database without seeing one another. Default: none.
   */
  readonly labelPrefix?: string;
  /** Connections at most. Default: 50. */
  readonly poolSize?: number;
  /** Limit on each wait for a connection, in milliseconds. Default: 30,000. */
  readonly acquireTimeoutMs?: number;
  /** Limit on making a connection, in milliseconds. Default: 10,000. */
  readonly connectTimeoutMs?: number;
  /** Further options of the driver: encryption, trust, logging, a resolver …. Retries and whole numbers stay ours. */
  readonly driver?: Config;
}

/**
 * A graph store on Neo4j 5.9 or later, community or enterprise.
 *
 * ```ts
 * const graph = neo4j({ url: 'neo4j://localhost:7687', username: 'neo4j', password });
 * const weave = await Storeweave.open({ entities, stores: { relational: typeorm(…), graph } });
 * ```
 *
 * @throws ConfigurationError where the URL is missing or of another kind, or only one of user and password is given.
 */
export function neo4j(options: Neo4jOptions): Neo4jStore {
  const { url, username, password } = options;
  if (typeof url !== 'string' || !/^(neo4j|bolt)(\+s|\+ssc)?:\/\//.test(url)) {
    throw new ConfigurationError(
      'neo4j() takes the url of a server, like neo4j://localhost:7687 or neo4j+s://host; this is none.',
    );
  }
  if ((username === undefined) !== (password === undefined)) {
    throw new ConfigurationError('neo4j() takes a username and a password, or neither; one of them is missing.');
  }
  return new Neo4jStore(options);
}
