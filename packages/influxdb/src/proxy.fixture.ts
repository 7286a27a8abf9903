/**
 * Stands between the store and a real server and spoils answers on command: what a server of one's own never says (come
 * later, too large, broken connection) and a busy or hosted one does.
 */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What to do with one request instead of passing it on. */
export type Trouble =
  | { readonly status: number; readonly message?: string; readonly headers?: Record<string, string> }
  | 'reset'
  | 'hang'
  /** Passes the request on after a while. */
  | 'slow'
  /** Passes the request on, and breaks the connection instead of answering. */
  | 'reset after';

export interface TroubleProxy {
  readonly url: string;
  /** Decides for each request, by its number since the last call of `on`. */
  on(path: string, trouble: (n: number) => Trouble | undefined): void;
  /** Paths and bodies of the requests that were passed on. */
  readonly passed: { readonly path: string; readonly body: string }[];
  /** Requests under way at one time, at most so far. */
  readonly mostAtOnce: number;
  close(): Promise<void>;
}

export async function proxyTo(target: string): Promise<TroubleProxy> {
  let rule: { path: string; trouble: (n: number) => Trouble | undefined; n: number } | undefined;
  const passed: TroubleProxy['passed'][number][] = [];
  let underWay = 0;
  let most = 0;
  const server = createServer((incoming, outgoing) => {
    most = Math.max(most, ++underWay);
    outgoing.once('close', () => underWay--);
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', async () => {
      const path = incoming.url ?? '';
      const body = Buffer.concat(chunks);
      const trouble = rule !== undefined && path.startsWith(rule.path) ? rule.trouble(rule.n++) : undefined;
      if (trouble === 'hang') return;
      if (trouble === 'reset') {
        incoming.socket.destroy();
        return;
      }
      if (typeof trouble === 'object') {
        outgoing.writeHead(trouble.status, { 'content-type': 'application/json', ...trouble.headers });
        outgoing.end(JSON.stringify({ code: 'trouble', message: trouble.message ?? 'trouble was asked for' }));
        return;
      }
      if (trouble === 'slow') await sleep(50);
      passed.push({ path, body: body.toString() });
      const forward = request(
        new URL(path, target),
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          if (trouble === 'reset after') incoming.socket.destroy();
          else {
            outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
            answer.pipe(outgoing);
          }
        },
      );
      forward.on('error', () => incoming.socket.destroy());
      forward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    on: (path, trouble) => {
      rule = { path, trouble, n: 0 };
    },
    passed,
    get mostAtOnce() {
      return most;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
