/** The little that the harness itself asks of a Neo4j: whether it answers, its version, and to forget a test's labels. */
import { ConfigurationError } from '@storeweave/core';

/** Where a server is and who may use it. */
export interface Neo4jAccess {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

type Rows = readonly Record<string, unknown>[];
type Ask = (text: string, values?: Record<string, unknown>) => Promise<Rows>;

/** True where it takes the credentials and answers a query. */
export async function answers(access: Neo4jAccess): Promise<boolean> {
  try {
    await connected(access, (ask) => ask('RETURN 1'));
    return true;
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    return false;
  }
}

export async function versionOf(access: Neo4jAccess): Promise<string> {
  const [row] = await connected(access, (ask) => ask('CALL dbms.components() YIELD versions RETURN versions[0] AS v'));
  return String(row?.v ?? 'unknown');
}

/** Drops every constraint, index, node and relationship whose label or type begins with one of the prefixes. */
export async function forget(access: Neo4jAccess, prefixes: readonly string[]): Promise<void> {
  if (prefixes.length === 0) return;
  const isOurs = (names: unknown) =>
    Array.isArray(names) && names.some((name) => prefixes.some((prefix) => String(name).startsWith(prefix)));
  await connected(access, async (ask) => {
    for (const [kind, kinds] of [
      ['CONSTRAINT', 'CONSTRAINTS'],
      ['INDEX', 'INDEXES'],
    ]) {
      for (const { name, names } of await ask(`SHOW ${kinds} YIELD name, labelsOrTypes AS names`))
        if (isOurs(names)) await ask(`DROP ${kind} ${quoted(String(name))} IF EXISTS`);
    }
    await ask('MATCH (n) WHERE any(l IN labels(n) WHERE any(p IN $prefixes WHERE l STARTS WITH p)) DETACH DELETE n', {
      prefixes,
    });
  });
}

/** Cypher 5 decodes \uXXXX before it parses, also inside a quoted name. */
function quoted(name: string): string {
  return `\`${name.replaceAll('\\u', '\\u005Cu').replaceAll('`', '``')}\``;
}

async function connected<R>({ url, username, password }: Neo4jAccess, work: (ask: Ask) => Promise<R>): Promise<R> {
  const { default: neo4j } = await driverModule();
  const driver = neo4j.driver(url, neo4j.auth.basic(username, password), {
    connectionTimeout: 2_000,
    maxTransactionRetryTime: 0,
  });
  try {
    return await work(async (text, values = {}) => {
      const { records } = await driver.executeQuery(text, values, { database: process.env.STOREWEAVE_NEO4J_DATABASE });
      return records.map((record) => record.toObject());
    });
  } finally {
    await driver.close();
  }
}

/** An optional peer: only who tests on Neo4j needs it. */
async function driverModule() {
  try {
    return await import('neo4j-driver');
  } catch (error) {
    throw new ConfigurationError('Tests on Neo4j need the npm package neo4j-driver. Install it beside the tests.', {
      cause: error,
    });
  }
}
