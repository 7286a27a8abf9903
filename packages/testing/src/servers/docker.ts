/** Whether a Docker daemon answers: at `DOCKER_HOST`, or on one of its usual sockets. */
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** True where something listens there. */
export async function dockerAnswers(): Promise<boolean> {
  const host = process.env.DOCKER_HOST;
  if (host !== undefined && host !== '') {
    const { protocol, hostname, port, pathname } = new URL(host);
    return protocol === 'unix:'
      ? connects({ path: pathname })
      : connects({ host: hostname, port: Number(port || 2375) });
  }
  for (const path of ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')]) {
    if (existsSync(path) && (await connects({ path }))) return true;
  }
  return false;
}

function connects(target: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(target);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
