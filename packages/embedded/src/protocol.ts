/**
 * What the database answers, read by pg's own parser instead of PGlite's: that one decodes every value with a
 * `TextDecoder`, which takes a byte order mark off its beginning without a word.
 */
import type { PGlite } from '@electric-sql/pglite';
import type { BackendMessage } from 'pg-protocol/dist/messages.js';
import { Parser } from 'pg-protocol/dist/parser.js';

/**
 * Sends one message and gives the answer's messages in order. Errors are among them and not thrown. As a stream, because
 * PGlite otherwise decodes the answer as well, and keeps all of it until its own next query.
 */
export async function exchange(
  pglite: Pick<PGlite, 'execProtocolRawStream'>,
  message: Uint8Array,
): Promise<BackendMessage[]> {
  const messages: BackendMessage[] = [];
  const parser = new Parser();
  await pglite.execProtocolRawStream(message, {
    // A copy: the piece lies in PostgreSQL's own memory, and the parser keeps the end of one for the next.
    onRawData: (piece) => parser.parse(Buffer.from(piece), (each) => messages.push(each)),
  });
  return messages;
}
