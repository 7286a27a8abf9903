/**
 * The configuration file: which entities live in which stores, as the application's own `Storeweave.open()` has it. It is
 * code, so that both can share one module.
 */
import { ConfigurationError, type OpenOptions } from '@storeweave/core';

/** Default export of `storeweave.config.ts`, or what a function that it exports gives. */
export interface StoreweaveConfig extends Omit<OpenOptions, 'schema'> {
  readonly migrations?: {
    /** Folder of the files, relative to the configuration file. Default: `migrations`. */
    readonly directory?: string;
    /** Logical name of the store that they are for. Default: `relational`. */
    readonly store?: string;
    /** Language of generated files. Default: `ts`. */
    readonly format?: 'ts' | 'esm' | 'cjs';
  };
}

/** Gives the configuration back; it is there for the types. */
export function defineConfig(
  config: StoreweaveConfig | (() => StoreweaveConfig | Promise<StoreweaveConfig>),
): StoreweaveConfig | (() => StoreweaveConfig | Promise<StoreweaveConfig>) {
  return config;
}

/** Checks what a configuration file exported. Throws `ConfigurationError` naming the file and what is wrong. */
export async function readConfig(exported: unknown, path: string): Promise<StoreweaveConfig> {
  const config: unknown = typeof exported === 'function' ? await exported() : exported;
  if (typeof config !== 'object' || config === null) {
    throw new ConfigurationError(
      `${path} has no configuration as its default export. Write: export default defineConfig({ entities, stores }).`,
    );
  }
  const { entities, stores } = config as Partial<StoreweaveConfig>;
  if (!Array.isArray(entities)) throw new ConfigurationError(`${path}: "entities" must be a list of classes.`);
  if (typeof stores !== 'object' || stores === null) {
    throw new ConfigurationError(`${path}: "stores" must be an object of stores by their logical names.`);
  }
  return config as StoreweaveConfig;
}
