/**
 * The life of the client: its sockets, what is asked of the server when it is opened, and how a request is made. Every
 * request here may be sent twice without harm (points have an identity, deletions and reads too), so one that met a
 * socket of a server that has restarted is sent again, and one that the server put off is sent later.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { InfluxDB, type SendOptions } from '@influxdata/influxdb-client';
import { ConfigurationError } from '@storeweave/core';
import { type CsvHandler, CsvParser } from './csv.js';
import { type Call, deadlineOf, isBusy, isUnreachable, mapError } from './errors.js';
import type { InfluxdbOptions } from './options.js';

/** One request of the server's API. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as it is if a string, else as JSON. */
  readonly body?: unknown;
}

/** Bodies that are larger are compressed, where the option says so. In bytes. */
const GZIP_FROM = 1_000;
const LONGEST_WAIT_MS = 30_000;

export class Connection {
  readonly client: InfluxDB;
  readonly org: string;
  readonly #agent: HttpAgent;
  readonly #retries: number;
  readonly #gzip: boolean;

  constructor(options: InfluxdbOptions) {
    const { url, token, org, connections = 10, timeoutMs = 60_000, retries = 3, gzip = false } = options;
    if (url === '' || token === '' || org === '') {
      throw new ConfigurationError('influxdb() needs a url, a token and an org; one of them is empty.');
    }
    // Requests beyond this number wait for a socket, and those who asked for them wait with them: that is all the
    // back-pressure there needs to be, as no point is kept here that its writer does not wait for.
    const Agent = url.startsWith('https:') ? HttpsAgent : HttpAgent;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.client = new InfluxDB({ url, token, timeout: timeoutMs, transportOptions: { agent: this.#agent } });
    this.org = org;
    this.#retries = retries;
    this.#gzip = gzip;
  }

  /** Asks who is there. Throws `ConnectionError`, or `ConfigurationError` for a wrong token, organisation or product. */
  async open(call: Call): Promise<void> {
    const version = await this.#version(call);
    if (!/^v?2\./.test(version)) {
      throw new ConfigurationError(
        `The server calls itself InfluxDB ${version}; this store speaks to InfluxDB 2, whose query language 1 and 3 do not have.`,
      );
    }
    await this.request({ method: 'GET', path: '/api/v2/buckets', query: { org: this.org, limit: '1' } }, call);
  }

  /** The server's version, and its clock in milliseconds since the epoch. */
  async inspect(call: Call): Promise<{ version: string; clockMs: number }> {
    let clock = '';
    // The header of an answer has whole seconds only.
    const flux = 'import "array" import "system" array.from(rows: [{ clock: string(v: uint(v: system.time())) }])';
    const row = (cells: readonly string[]) => {
      clock = cells.find((cell) => /^\d{16,}$/.test(cell)) ?? '';
    };
    await this.query(flux, { header: () => {}, row }, call);
    const version = await this.#version(call);
    return { version: version.replace(/^v/, ''), clockMs: Number(BigInt(clock) / 1000n) / 1000 };
  }

  /** Ends every connection. */
  close(): void {
    this.#agent.destroy();
  }

  /** Makes a request and gives what was answered, parsed if it is JSON. Throws errors of Storeweave. */
  request<T>(request: Request, call: Call): Promise<T> {
    return this.attempt(call, (options) => this.send<T>(request, options));
  }

  /** The request itself, once; throws what the client throws. */
  send<T>({ method, path, query, body }: Request, options: Pick<SendOptions, 'signal'>): Promise<T> {
    const parameters = query === undefined ? '' : `?${new URLSearchParams(query)}`;
    const isText = typeof body === 'string';
    return this.client.transport.request(path + parameters, body ?? '', {
      method,
      ...options,
      headers: { 'content-type': `${isText ? 'text/plain' : 'application/json'}; charset=utf-8` },
      ...(this.#gzip && { gzipThreshold: GZIP_FROM }),
    }) as Promise<T>;
  }

  /** Runs a query and hands its answer to the handler, row by row, as it comes. */
  async query(flux: string, handler: CsvHandler, call: Call): Promise<void> {
    await this.attempt(call, async (options) => {
      const path = `/api/v2/query?${new URLSearchParams({ org: this.org })}`;
      const body = { query: flux, type: 'flux', dialect: { header: true, annotations: [] } };
      const parser = new CsvParser(handler);
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      let hasBegun = false;
      try {
        const headers = { accept: 'application/csv', ...(this.#gzip && { 'accept-encoding': 'gzip' }) };
        for await (const chunk of this.client.transport.iterate(path, JSON.stringify(body), {
          method: 'POST',
          headers,
          ...options,
        })) {
          hasBegun = true;
          parser.push(decoder.decode(chunk, { stream: true }));
        }
        parser.push(decoder.decode());
        parser.end();
      } catch (error) {
        // Rows were handed out: asking again would hand them out twice.
        throw hasBegun ? mapError(error, call) : error;
      }
    });
  }

  /** Does a piece of work until it succeeds, is refused, or the call's time is over. */
  async attempt<T>(given: Call, work: (options: Pick<SendOptions, 'signal'>) => Promise<T>): Promise<T> {
    const { access } = given;
    const deadline = given.deadline ?? deadlineOf(access);
    const call = deadline === undefined ? given : { ...given, deadline };
    const { signal, release } = following([access.signal, deadline].filter((each) => each !== undefined));
    try {
      return await this.#persist(call, signal, () => work(signal === undefined ? {} : { signal }));
    } finally {
      release();
    }
  }

  async #persist<T>(call: Call, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    let wasReset = false;
    for (let attempt = 0; ; attempt++) {
      try {
        signal?.throwIfAborted();
        return await work();
      } catch (error) {
        if (signal?.aborted) throw mapError(error, call);
        if (isBusy(error) && attempt < this.#retries) {
          const waitMs = error.retryAfter() > 0 ? error.retryAfter() * 1_000 : 250 * 2 ** attempt;
          if (waitMs > LONGEST_WAIT_MS) throw mapError(error, call);
          await sleep(waitMs, undefined, { signal }).catch((reason) => {
            throw mapError(reason, call);
          });
        } else if (!wasReset && isUnreachable(error) && (error as { code?: unknown }).code !== 'ECONNREFUSED') {
          wasReset = true;
        } else throw mapError(error, call);
      }
    }
  }

  async #version(call: Call): Promise<string> {
    return this.attempt(call, async (options) => {
      let version = 'of an unknown version';
      await this.client.transport.request('/ping', '', { method: 'GET', ...options }, (headers) => {
        const found = headers['x-influxdb-version'];
        if (typeof found === 'string') version = found;
      });
      return version;
    });
  }
}

/**
 * A signal of its own for a piece of work, until it is released: the client never takes off what it hangs on one, and on a
 * deadline or a signal of the application every request would keep its body until that is over.
 */
function following(signals: readonly AbortSignal[]): { signal?: AbortSignal; release(): void } {
  if (signals.length === 0) return { release: () => {} };
  const own = new AbortController();
  const stop = () => own.abort(signals.find(({ aborted }) => aborted)?.reason);
  for (const each of signals) each.addEventListener('abort', stop);
  if (signals.some(({ aborted }) => aborted)) stop();
  return {
    signal: own.signal,
    release: () => {
      for (const each of signals) each.removeEventListener('abort', stop);
    },
  };
}
