/** Names of tables and columns come from the metadata, never from a request; they are quoted all the same. */

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table with its schema, where it has one. */
export function quoteTable(table: string, schema?: string): string {
  return schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`;
}
