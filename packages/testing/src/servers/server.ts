/**
 * What the test servers of every product have in common, and the order in which one is looked for: an environment
 * variable that names it, a container where Docker is, programs of this machine. Each kind of server is a file beside
 * this one that says how each of the three ways goes.
 */
import { ConfigurationError } from '@storeweave/core';

/** `url`: named by an environment variable; `docker`: in a container; `native`: as a child of this process. */
export type ServerWay = 'url' | 'docker' | 'native';

/** Life of a server that was found or started. */
export interface Running {
  /** Ends the server and removes its data. A server by URL goes on; what was made on it for tests is removed. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would do it. Data and port stay for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after stopping it if it runs. */
  restart(): Promise<void>;
}

export interface TestServer extends Running {
  /** As the server says it: `15.18`. */
  readonly version: string;
  readonly how: ServerWay;
  /** What exactly runs, for reports. */
  readonly origin: string;
}

export interface ServerOptions {
  /** Ways that may be used, in this order. Default: all. `kill` and `restart` need one of ours: leave `url` out. */
  readonly ways?: readonly ServerWay[];
}

/** One way of having a server: what it found, or undefined with its reason added to `reasons`. */
export type Attempt<F extends Running> = (reasons: string[]) => Promise<(F & { readonly origin: string }) | undefined>;

/**
 * Tries the ways in their order.
 *
 * @throws ConfigurationError where none can be had: what was tried, and `advice`.
 */
export async function findServer<F extends Running>(
  product: string,
  advice: string,
  ways: readonly ServerWay[] = ['url', 'docker', 'native'],
  attempts: Record<ServerWay, Attempt<F>>,
): Promise<F & { readonly origin: string; readonly how: ServerWay }> {
  const reasons: string[] = [];
  for (const how of ways) {
    const found = await attempts[how](reasons);
    if (found !== undefined) return { ...found, how };
  }
  throw new ConfigurationError(`No ${product} could be had for the tests: ${reasons.join('; ')}. ${advice}`);
}

/**
 * The server that an environment variable names.
 *
 * @throws ConfigurationError where it is set and no server answers: a URL that was given is meant, and falling back to
 * another server would test something else than was asked.
 */
export async function serverByUrl(
  variable: string,
  answers: (url: string) => Promise<boolean>,
  reasons: string[],
): Promise<(Running & { readonly url: string; readonly origin: string }) | undefined> {
  const url = process.env[variable];
  if (url === undefined || url === '') {
    reasons.push(`${variable} is not set`);
    return undefined;
  }
  if (!(await answers(url))) {
    throw new ConfigurationError(`${variable} is set, but no server answers there. Start it, or unset the variable.`);
  }
  const refuse = (what: string) => async () => {
    throw new ConfigurationError(`The server of ${variable} is not ours to ${what}; leave 'url' out of the ways.`);
  };
  return { url, origin: variable, stop: async () => {}, kill: refuse('kill'), restart: refuse('restart') };
}

/** A container's start, where a Docker daemon answers; its failure is a reason to try the next way. */
export async function serverInDocker<F extends Running>(
  start: () => Promise<F>,
  answers: () => Promise<boolean>,
  reasons: string[],
): Promise<(F & { readonly origin: string }) | undefined> {
  if (!(await answers())) {
    reasons.push('no Docker daemon answers');
    return undefined;
  }
  try {
    return { ...(await start()), origin: 'Docker' };
  } catch (error) {
    reasons.push(`Docker answers, but the container did not start (${messageOf(error)})`);
    return undefined;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
