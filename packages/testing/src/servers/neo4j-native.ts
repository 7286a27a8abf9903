/**
 * A Neo4j Community of our own in a temporary folder: its jars from Maven Central, kept in the cache folder, run by the
 * machine's Java 17 or later; on the loopback interface only, with a password made for it, and gone afterwards. Its log
 * is kept where starting it failed.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '@storeweave/core';
import { installed } from './cache.js';
import { runNatively } from './native.js';
import { answers, type Neo4jAccess } from './neo4j-client.js';
import { run } from './run.js';
import { messageOf, type Running } from './server.js';

export interface RunningNeo4j extends Running, Neo4jAccess {}

const VERSION = '5.26.30';
const OLDEST_JAVA = 17;

/** The folder with the jars; undefined, with a reason, where Java or Maven are missing. */
export async function neo4jJars(reasons: string[]): Promise<string | undefined> {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const major = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0);
  if (major < OLDEST_JAVA) {
    reasons.push(`Java ${OLDEST_JAVA} or later is not installed${major === 0 ? '' : ` (there is ${major})`}`);
    return undefined;
  }
  try {
    return await installed(`neo4j-${VERSION}`, download);
  } catch (error) {
    reasons.push(`Maven could not fetch org.neo4j:neo4j:${VERSION} (${messageOf(error)})`);
    return undefined;
  }
}

async function download(folder: string): Promise<void> {
  // The exact version: a range takes Maven minutes.
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>storeweave</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>${VERSION}</version></dependency></dependencies>
</project>`;
  await writeFile(join(folder, 'pom.xml'), pom);
  const repository = join(folder, 'repository');
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  const args = ['-B', '-q', '-ntp', '-f', join(folder, 'pom.xml'), `-Dmaven.repo.local=${repository}`, goal];
  args.push('-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'lib')}`);
  await run('mvn', args);
  await rm(repository, { recursive: true, force: true });
}

export async function startNeo4jNatively(jars: string): Promise<RunningNeo4j> {
  const root = mkdtempSync(join(tmpdir(), 'storeweave-neo4j-'));
  const classes = join(jars, 'lib', '*');
  const password = randomBytes(12).toString('hex');
  for (const folder of ['conf', 'data', 'logs', 'import', 'plugins', 'run']) mkdirSync(join(root, folder));
  setPassword(classes, root, password);
  const accessOf = (port: number): Neo4jAccess => ({ url: `bolt://127.0.0.1:${port}`, username: 'neo4j', password });
  const running = await runNatively({
    product: `Neo4j ${VERSION}`,
    folder: root,
    // A stop by SIGTERM takes twelve seconds, and data that is thrown away needs none of them.
    stopSignal: 'KILL',
    startLimitMs: 90_000,
    command: (port) => {
      writeFileSync(join(root, 'conf', 'neo4j.conf'), configuration(port));
      const args = [...JAVA, '-cp', classes, 'org.neo4j.server.CommunityEntryPoint', ...placesOf(root)];
      return { command: 'java', args: [...args, '--console-mode'], env: environment(root) };
    },
    answers: (port) => answers(accessOf(port)),
    pollMs: 200,
    // A killed server still holds its files.
    passing: /StoreLock|Lock file has been locked/,
  });
  return { ...running, ...accessOf(running.port) };
}

const JAVA = [
  '-Xms512m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
  '-Dfile.encoding=UTF-8',
  '-Djdk.nio.maxCachedBufferSize=1024',
  '-Dio.netty.tryReflectionSetAccessible=true',
  ...['java.nio', 'java.io', 'sun.nio.ch', 'java.util.concurrent'].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
];

function configuration(port: number): string {
  const settings: Record<string, string> = {
    'server.default_listen_address': '127.0.0.1',
    'server.bolt.enabled': 'true',
    'server.bolt.listen_address': `127.0.0.1:${port}`,
    'server.bolt.advertised_address': `127.0.0.1:${port}`,
    'server.bolt.tls_level': 'DISABLED',
    'server.http.enabled': 'false',
    'server.https.enabled': 'false',
    'dbms.security.auth_enabled': 'true',
    'dbms.usage_report.enabled': 'false',
    'server.memory.pagecache.size': '64m',
    'db.tx_log.rotation.retention_policy': '1 files',
    'db.tx_log.preallocate': 'false',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function placesOf(root: string): string[] {
  return [`--home-dir=${root}`, `--config-dir=${join(root, 'conf')}`];
}

function environment(root: string): Record<string, string> {
  return { NEO4J_HOME: root, NEO4J_CONF: join(root, 'conf') };
}

function setPassword(classes: string, root: string, password: string): void {
  const args = ['-Xmx256m', '-cp', classes, 'org.neo4j.cli.AdminTool', 'dbms', 'set-initial-password', password];
  const set = spawnSync('java', args, { encoding: 'utf8', env: { PATH: process.env.PATH, ...environment(root) } });
  if (set.status === 0) return;
  rmSync(root, { recursive: true, force: true });
  throw new ConfigurationError(`Neo4j's password could not be set: ${set.error?.message ?? set.stderr.trim()}`);
}
