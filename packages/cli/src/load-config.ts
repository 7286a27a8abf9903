/**
 * Finds and loads the configuration file. TypeScript goes through `tsx`, which every project that runs TypeScript has or
 * can have; it understands both styles of decorators, as the project's own tsconfig says.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigurationError } from '@storeweave/core';
import { readConfig, type StoreweaveConfig } from './config.js';

const NAMES = ['ts', 'mts', 'js', 'mjs'].map((extension) => `storeweave.config.${extension}`);

export interface LoadedConfig {
  readonly config: StoreweaveConfig;
  /** Of the file. */
  readonly path: string;
  /** Ends what loading it took; migrations and whatever else is imported later may need it, too. */
  close(): Promise<void>;
}

/**
 * Loads the file at `given`, or the first of the usual names in `cwd`.
 *
 * @throws ConfigurationError where there is none, where TypeScript cannot be loaded, or where it exports something else.
 */
export async function loadConfig(given: string | undefined, cwd: string): Promise<LoadedConfig> {
  const path = given === undefined ? findConfig(cwd) : isAbsolute(given) ? given : resolve(cwd, given);
  if (!existsSync(path)) throw new ConfigurationError(`There is no configuration file ${path}.`);
  const close = /\.[mc]?ts$/.test(path) ? await understandTypeScript(path) : async () => {};
  try {
    const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
    return { config: await readConfig(module.default, path), path, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function findConfig(cwd: string): string {
  const found = NAMES.map((name) => join(cwd, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ConfigurationError(
    `There is no configuration file in ${cwd}. Write ${NAMES[0]} (export default defineConfig({ entities, stores })), or name a file by --config.`,
  );
}

/** From now on `import` understands TypeScript, with one instance of every module; returns what ends that. */
async function understandTypeScript(path: string): Promise<() => Promise<void>> {
  let tsx: typeof import('tsx/esm/api');
  try {
    tsx = await import('tsx/esm/api');
  } catch (cause) {
    throw new ConfigurationError(
      `${path} is TypeScript, and loading that needs the package tsx: npm install --save-dev tsx. Or name a JavaScript file by --config.`,
      { cause },
    );
  }
  return tsx.register();
}
