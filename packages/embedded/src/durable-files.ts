/**
 * PGlite's files in a folder, with an `fsync` that is real. PGlite runs PostgreSQL with fsync off, because its file
 * system has none: a killed process loses nothing then, but a power failure may. Emscripten's Node file system lacks
 * one function, which is given to it here; PostgreSQL does the rest, as on any server.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { ConfigurationError } from '@storeweave/core';

/** An open file of Emscripten; folders have no descriptor. */
interface Stream {
  readonly nfd?: number;
  readonly node: unknown;
}

interface NodeFiles {
  stream_ops: { fsync?(stream: Stream): number };
  realPath(node: unknown): string;
  /** Turns the errors of Node into those of Emscripten, which PostgreSQL understands. */
  tryFSOperation<R>(operation: () => R): R;
}

export class DurableFiles extends NodeFS {
  /** How often a file or folder was brought to the disk. */
  syncs = 0;

  override async init(...[pglite, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pglite, options);
    const addSync = (module: { NODEFS?: unknown }) => {
      const files = module.NODEFS as NodeFiles | undefined;
      if (files?.stream_ops === undefined) {
        throw new ConfigurationError(
          'This version of PGlite has no file system that can be made durable; open with fsync: false.',
        );
      }
      files.stream_ops.fsync = (stream) => {
        this.syncs++;
        const { nfd } = stream;
        files.tryFSOperation(() => (nfd !== undefined ? fsyncSync(nfd) : syncFolder(files.realPath(stream.node))));
        return 0;
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addSync] } };
  }
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** How PostgreSQL is started inside PGlite. */
export function startParameters(options: { readonly fsync: boolean }): string[] {
  const settings = {
    // WebAssembly knows fsync() and not fdatasync().
    wal_sync_method: 'fsync',
    // There is no checkpointer in the background: what is not yet checkpointed is read again after a crash.
    max_wal_size: '256MB',
    min_wal_size: '32MB',
  };
  const given = PGlite.defaultStartParams.filter((parameter) => !options.fsync || parameter !== '-F');
  return [...given, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
