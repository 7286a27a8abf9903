/**
 * A real Neo4j for tests: from the URL in `STOREWEAVE_NEO4J_URL` if it is set, else in a container where Docker is,
 * else started natively, else an error that says everything that was tried and what to do. The community edition has
 * one database, so tests share it and keep apart by a prefix of their labels and types.
 */
import { dockerAnswers } from './docker.js';
import { freshName } from './fresh-name.js';
import { answers, forget, type Neo4jAccess, versionOf } from './neo4j-client.js';
import { startNeo4jInDocker } from './neo4j-docker.js';
import { neo4jJars, type RunningNeo4j, startNeo4jNatively } from './neo4j-native.js';
import { findServer, type ServerOptions, serverByUrl, serverInDocker, type TestServer } from './server.js';

export interface Neo4jServer extends TestServer, Neo4jAccess {
  /** A prefix for labels and types that nobody else has, beginning with `name`. What was made with it is dropped at `stop`. */
  space(name: string): Promise<string>;
}

/**
 * Starts (or finds) a server; with `STOREWEAVE_NEO4J_URL` also `STOREWEAVE_NEO4J_USERNAME` (default: neo4j),
 * `STOREWEAVE_NEO4J_PASSWORD` and `STOREWEAVE_NEO4J_DATABASE` (default: the user's own).
 *
 * @throws ConfigurationError where none can be had.
 */
export async function startNeo4j(options: ServerOptions = {}): Promise<Neo4jServer> {
  const running = await findServer<RunningNeo4j>(
    'Neo4j 5',
    "Set STOREWEAVE_NEO4J_URL to a server's Bolt URL, or install Java 17 and Maven.",
    options.ways,
    {
      async url(reasons) {
        const username = process.env.STOREWEAVE_NEO4J_USERNAME ?? 'neo4j';
        const password = process.env.STOREWEAVE_NEO4J_PASSWORD ?? '';
        const reach = (url: string) => answers({ url, username, password });
        const found = await serverByUrl('STOREWEAVE_NEO4J_URL', reach, reasons);
        return found && { ...found, username, password };
      },
      docker: (reasons) => serverInDocker(startNeo4jInDocker, dockerAnswers, reasons),
      async native(reasons) {
        const jars = await neo4jJars(reasons);
        return jars === undefined ? undefined : { ...(await startNeo4jNatively(jars)), origin: 'jars from Maven' };
      },
    },
  );
  const spaces: string[] = [];
  return {
    ...running,
    version: await versionOf(running),
    async space(name) {
      const prefix = `${freshName(name)}_`;
      spaces.push(prefix);
      return prefix;
    },
    async stop() {
      if (running.how === 'url') await forget(running, spaces);
      await running.stop();
    },
  };
}
