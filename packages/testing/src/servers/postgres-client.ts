/** The few statements that the harness itself sends. */
import pg from 'pg';
import { freshName } from './fresh-name.js';

/** Whether the server takes our connection; errors of any kind are a no. */
export async function answers(url: string): Promise<boolean> {
  try {
    await ask(url, 'select 1');
    return true;
  } catch {
    return false;
  }
}

/** First column of the first row, as text. */
export async function ask(url: string, sql: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0] === undefined ? undefined : String(rows[0][0]);
  } finally {
    await client.end();
  }
}

/** Creates a database that no other test has and gives its URL. */
export async function createDatabase(url: string, name: string): Promise<string> {
  const database = freshName(name);
  await ask(url, `create database ${database}`);
  const result = new URL(url);
  result.pathname = `/${database}`;
  return result.href;
}

export async function dropDatabase(url: string, databaseUrl: string): Promise<void> {
  await ask(url, `drop database if exists ${new URL(databaseUrl).pathname.slice(1)} with (force)`);
}
