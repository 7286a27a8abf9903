/**
 * SecantusDB in a temporary folder: a server that speaks MongoDB's protocol on WiredTiger, with transactions, sessions
 * and change streams. Its Rust build is quicker to answer and takes minutes to make; its Python wheel is installed in
 * seconds and slow. It is a beta under GPL-2.0, and only ever a process beside the tests. It listens on the loopback
 * interface alone; its log is kept where starting it failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from './cache.js';
import { mongodbAnswers } from './mongodb-client.js';
import { runNatively } from './native.js';
import { run } from './run.js';
import { messageOf, type Running } from './server.js';

export interface MongodbNativeOptions {
  /** What was acknowledged survives a kill: every commit is flushed. Only the Rust server can. Default: false. */
  readonly durable?: boolean;
  /** A server that is no replica set: without transactions and change streams. Default: false. */
  readonly standalone?: boolean;
}

export interface SecantusProgram {
  readonly command: string;
  readonly args: readonly string[];
  /** For messages and reports. */
  readonly origin: string;
}

const RUST_VERSION = '0.5.3-beta.196';
const RUST_KEY = `secantus-mdb-${RUST_VERSION}-${process.platform}-${process.arch}`;
const WHEEL_VERSION = '0.7.0b3';
const WHEEL_KEY = `secantusdb-${WHEEL_VERSION}-${process.platform}-${process.arch}`;

/** Finds the program, installs or builds it. The reasons why a source gave nothing are collected in `reasons`. */
export async function secantusProgram(reasons: string[]): Promise<SecantusProgram | undefined> {
  if (process.platform === 'win32') {
    reasons.push('starting SecantusDB natively is not supported on Windows');
    return undefined;
  }
  // Minutes to build, once, are less than what the slower one takes for every run.
  for (const source of [fromCargo, fromWheel]) {
    const program = await source(reasons);
    if (program !== undefined) return program;
  }
  return undefined;
}

function rustProgram(folder: string): SecantusProgram {
  return {
    command: join(folder, 'bin', 'secantusd-rs'),
    args: ['--cache-size', '512M', '--log-file-max', '16MB'],
    origin: `SecantusDB, Rust ${RUST_VERSION}`,
  };
}

async function fromCargo(reasons: string[]): Promise<SecantusProgram | undefined> {
  if (spawnSync('cargo', ['--version']).status !== 0) {
    reasons.push('cargo is not installed');
    return undefined;
  }
  return attempt(reasons, 'cargo could not build secantus-mdb', async () => {
    const folder = await installed(RUST_KEY, async (root) => {
      const target = join(root, 'target');
      const args = ['install', 'secantus-mdb', '--version', RUST_VERSION, '--locked', '--ignore-rust-version'];
      await run('cargo', [...args, '--root', root], { env: { CARGO_TARGET_DIR: target } });
      await rm(target, { recursive: true, force: true });
    });
    return rustProgram(folder);
  });
}

async function fromWheel(reasons: string[]): Promise<SecantusProgram | undefined> {
  if (spawnSync('python3', ['-c', 'import venv, ensurepip']).status !== 0) {
    reasons.push('Python 3 with venv is not installed');
    return undefined;
  }
  return attempt(reasons, 'pip could not install secantusdb', async () => {
    const folder = await installed(WHEEL_KEY, async (root) => {
      await run('python3', ['-m', 'venv', root]);
      const quiet = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check'];
      await run(join(root, 'bin', 'python3'), [...quiet, `secantusdb==${WHEEL_VERSION}`, 'pymongo==4.20.0']);
    });
    return {
      // Its script names the folder that it was installed in, before that was renamed.
      command: join(folder, 'bin', 'python3'),
      args: ['-c', 'from secantus.cli import main; main()', '--cache-size', '512M', '--log-level', 'WARNING'],
      origin: `SecantusDB, Python wheel ${WHEEL_VERSION}`,
    };
  });
}

async function attempt(
  reasons: string[],
  what: string,
  install: () => Promise<SecantusProgram>,
): Promise<SecantusProgram | undefined> {
  try {
    return await install();
  } catch (error) {
    reasons.push(`${what} (${messageOf(error)})`);
    return undefined;
  }
}

export async function startSecantus(
  { command, args, origin }: SecantusProgram,
  { durable, standalone }: MongodbNativeOptions,
): Promise<Running & { readonly url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'storeweave-mongodb-'));
  const urlOf = (port: number) => `mongodb://127.0.0.1:${port}/`;
  const flags = [...(durable === true ? ['--sync-on-commit'] : []), ...(standalone === true ? ['--standalone'] : [])];
  const running = await runNatively({
    product: origin,
    folder,
    stopSignal: 'TERM',
    discardSignal: 'KILL',
    command: (port) => {
      const place = ['--host', '127.0.0.1', '--port', String(port), '--storage-path', join(folder, 'data')];
      return { command, args: [...args, ...place, ...flags] };
    },
    answers: (port) => mongodbAnswers(urlOf(port)),
    // A killed server still holds its files.
    passing: /in use|already (?:open|locked)|Resource busy/i,
  });
  return { ...running, url: urlOf(running.port) };
}
