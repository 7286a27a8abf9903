/**
 * What a MariaDB says before anybody has logged in: the greeting of its protocol, which begins with its version. The
 * driver is loaded when a database is asked for, and not before.
 */
import { connect } from 'node:net';

/** Version of the server that answers at a URL; undefined where none does. */
export function mariadbAnswers(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 3306) });
    const end = (version: string | undefined) => {
      socket.destroy();
      resolve(version);
    };
    socket.setTimeout(2_000, () => end(undefined));
    socket.once('error', () => end(undefined));
    // Four bytes of packet header, protocol 10, then the version up to a zero; MariaDB puts `5.5.5-` before it.
    socket.once('data', (greeting) => {
      const to = greeting.indexOf(0, 5);
      const isGreeting = greeting[4] === 10 && to > 0;
      end(
        isGreeting
          ? greeting
              .toString('latin1', 5, to)
              .replace(/^5\.5\.5-/, '')
              .split('-')[0]
          : undefined,
      );
    });
  });
}

/** Runs one statement, by a connection of its own. */
export async function askMariadb(url: string, text: string): Promise<void> {
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection(url);
  try {
    await connection.query(text);
  } finally {
    await connection.end();
  }
}
