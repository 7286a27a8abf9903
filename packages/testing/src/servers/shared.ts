/**
 * One server of each kind for a whole test run, started when the first test asks for it. Test files run in processes
 * of their own, so the run's main process keeps the servers and answers over HTTP on the loopback interface; a process
 * without such a keeper (a script, a single test outside a runner) starts servers for itself.
 */
import { randomBytes } from 'node:crypto';
import { createServer, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { ConfigurationError } from '@storeweave/core';
import { type Kinds, kinds, type ServerKind } from './kinds.js';
import { messageOf, type Running } from './server.js';

/** Where the keeper of this run listens; inherited by the processes of the tests. */
const KEEPER = 'STOREWEAVE_TEST_SERVERS';

/** What a test may do with a server that it shares: no kill, no restart. */
export type Shared<K extends ServerKind> = Omit<Kinds[K], keyof Running>;

/** What a run used, for the report at its end. */
export interface ServerReport {
  readonly tested: readonly string[];
  readonly notTested: readonly string[];
}

export interface ServerKeeper {
  /** Ends every server that was started. */
  stop(): Promise<ServerReport>;
}

const own = new Map<ServerKind, Promise<unknown>>();

/**
 * The server of a kind that this run shares.
 *
 * @throws ConfigurationError saying what was tried where none can be had.
 */
export async function sharedServer<K extends ServerKind>(kind: K): Promise<Shared<K>> {
  const keeper = process.env[KEEPER];
  const { start, room } = kinds[kind];
  if (keeper === undefined) {
    const started = (own.get(kind) as Promise<Kinds[K]> | undefined) ?? start();
    own.set(kind, started);
    return started;
  }
  const described = await call<Shared<K>>(`${keeper}/${kind}`);
  const allot = async (name: string) => (await call<string[]>(`${keeper}/${kind}/${encodeURIComponent(name)}`))[0];
  return { ...described, [room]: allot };
}

/** The PostgreSQL of this run. */
export const sharedPostgres = () => sharedServer('postgres');

/** Starts the keeper; to be called once by the main process of a run, before those of its tests start. */
export async function keepServers(): Promise<ServerKeeper> {
  const running = new Map<ServerKind, Promise<Kinds[ServerKind]>>();
  const secret = randomBytes(12).toString('hex');

  async function answer(path: string): Promise<unknown> {
    const [given, kind, name] = path.split('/').slice(1);
    if (given !== secret || !isKind(kind)) throw new ConfigurationError(`Not a server of this run: ${path}`);
    const starting = running.get(kind) ?? kinds[kind].start();
    running.set(kind, starting);
    const server = await starting;
    if (name === undefined) return server;
    const allot = server[kinds[kind].room as keyof typeof server] as unknown as (name: string) => Promise<string>;
    return [await allot(decodeURIComponent(name))];
  }

  const http = createServer(async (request, response) => {
    try {
      response.end(JSON.stringify(await answer(request.url ?? '')));
    } catch (error) {
      response.statusCode = 500;
      response.end(JSON.stringify({ error: messageOf(error) }));
    }
  });
  // The first test that asks waits for a server's start, and that may have to be built.
  http.requestTimeout = 0;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  http.unref();
  const address = http.address();
  if (address === null || typeof address === 'string')
    throw new ConfigurationError('The keeper of test servers could not listen.');
  process.env[KEEPER] = `http://127.0.0.1:${address.port}/${secret}`;

  return {
    async stop() {
      delete process.env[KEEPER];
      http.close();
      http.closeAllConnections();
      const tested: string[] = [];
      const notTested: string[] = [];
      for (const [kind, starting] of running) {
        const { title } = kinds[kind];
        try {
          const server = await starting;
          await server.stop();
          tested.push(`${title} ${server.version} (${server.how}: ${server.origin})`);
        } catch (error) {
          notTested.push(`${title}: ${messageOf(error)}`);
        }
      }
      return { tested, notTested };
    },
  };
}

function isKind(word: string | undefined): word is ServerKind {
  return word !== undefined && Object.hasOwn(kinds, word);
}

/** Asks the keeper. Without a time limit, unlike `fetch`: a server may have to be built first. */
async function call<T>(url: string): Promise<T> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => get(url, resolve).once('error', reject));
  const answer = JSON.parse(await text(response)) as T & { error?: string };
  if (response.statusCode !== 200) throw new ConfigurationError(answer.error ?? 'The keeper of test servers failed.');
  return answer;
}
