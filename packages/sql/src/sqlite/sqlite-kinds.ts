/** What the values of an answer to the user's own SQL are: SQLite's columns have no type, so the values tell. */
export const SQLITE_NUMBER = 1;
export const SQLITE_BYTES = 2;
