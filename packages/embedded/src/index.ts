export { type EmbeddedOptions, type EmbeddedStores, embedded } from './embedded.js';
