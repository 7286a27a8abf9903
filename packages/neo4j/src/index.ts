/** `@storeweave/neo4j`. */
export {};
