export type { TableLayout } from './layout.js';
export type { SqlDomain, SqlResult, SqlSession, Statement, TextRow } from './session.js';
