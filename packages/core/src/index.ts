export * from './errors/errors.js';
export { type ErrorSubject, StoreweaveError } from './errors/storeweave-error.js';
