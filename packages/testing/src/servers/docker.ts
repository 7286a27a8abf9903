/**
 * What servers in containers have in common: whether a Docker daemon answers, at `DOCKER_HOST` or on one of its usual
 * sockets, and the life of a container once it was started.
 */
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedTestContainer } from 'testcontainers';
import type { Running } from './server.js';

const ANSWER_LIMIT_MS = 60_000;

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

/** The server in a started container; resolves when it answers, where Docker's word for it is not enough. */
export async function inContainer(container: StartedTestContainer, answers?: () => Promise<boolean>): Promise<Running> {
  const ready = async () => {
    if (answers === undefined) return;
    for (const deadline = Date.now() + ANSWER_LIMIT_MS; Date.now() < deadline && !(await answers()); ) await sleep(50);
  };
  await ready();
  return {
    stop: async () => void (await container.stop()),
    // A grace of nothing: Docker sends SIGKILL at once.
    kill: async () => void (await container.stop({ timeout: 0, remove: false, removeVolumes: false })),
    async restart() {
      await container.restart();
      await ready();
    },
  };
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
