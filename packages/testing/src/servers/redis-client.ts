/** The little of Redis's protocol (RESP) that starting a server needs: one command, one simple answer. */
import { connect } from 'node:net';

/** Sends a command; resolves with its simple, integer or bulk string. Rejects with the server's error. */
export function redisAsk(url: string, command: readonly string[], timeoutMs = 2_000): Promise<string> {
  const { hostname, port, password, username } = new URL(url);
  const login = password === '' ? [] : [username === '' ? ['AUTH', password] : ['AUTH', username, password]];
  const commands = [...login, [...command]];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 6379) });
    let received = '';
    const end = (settle: () => void) => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(timeoutMs, () => end(() => reject(new Error('no answer'))));
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('connect', () => socket.write(commands.map(encode).join('')));
    socket.on('data', (chunk) => {
      received += String(chunk);
      const answers = decode(received);
      const refused = answers.find((answer) => answer instanceof Error);
      const last = answers[commands.length - 1];
      if (refused instanceof Error) end(() => reject(refused));
      else if (typeof last === 'string') end(() => resolve(last));
    });
  });
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

/** Every whole answer at the beginning of the text. */
function decode(text: string): (string | Error)[] {
  const answers: (string | Error)[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) break;
    const line = text.slice(at + 1, end);
    if (text[at] === '$') {
      const from = end + 2;
      const to = from + Number(line);
      if (text.length < to + 2) break;
      answers.push(text.slice(from, to));
      at = to + 2;
    } else {
      answers.push(text[at] === '-' ? new Error(line) : line);
      at = end + 2;
    }
  }
  return answers;
}
