/**
 * What the database answers, read by pg's own parser instead of PGlite's: that one decodes every value with a
 * `TextDecoder`, which takes a byte order mark off its beginning without a word.
 */
import type { PGlite } from '@electric-sql/pglite';
import type { BackendMessage } from 'pg-protocol/dist/messages.js';
import { Parser } from 'pg-protocol/dist/parser.js';

/** Sends one message and gives the answer's messages in order. Errors are among them and not thrown. */
export async function exchange(
  pglite: Pick<PGlite, 'execProtocolRaw'>,
  message: Uint8Array,
): Promise<BackendMessage[]> {
  const answer = await pglite.execProtocolRaw(message);
  const messages: BackendMessage[] = [];
  new Parser().parse(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength), (each) => messages.push(each));
  return messages;
}
