/** `@storeweave/cli`: what a configuration file needs; the command itself is `storeweave`. */
export { defineConfig, type StoreweaveConfig } from './config.js';
export { type Io, main } from './program.js';
