/** `@storeweave/mongodb`. */
export {};
