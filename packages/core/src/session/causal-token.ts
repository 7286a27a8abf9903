/**
 * What a process has seen of all its stores, as one text that travels in a cookie or header: another process that is given
 * it reads its writes, whatever replica it asks.
 */
import { InvalidQueryError } from '../errors/errors.js';
import type { Store } from '../store/store.js';

/** Undefined where no store has anything to wait for. */
export async function causalTokenOf(stores: ReadonlyMap<string, Store>): Promise<string | undefined> {
  const tokens: Record<string, string> = {};
  const asked = new Set<unknown>();
  for (const [name, { causality, domain }] of stores) {
    // Stores of one database have seen the same.
    if (causality === undefined || asked.has(domain)) continue;
    asked.add(domain);
    const token = await causality.token();
    if (token !== undefined) tokens[name] = token;
  }
  if (Object.keys(tokens).length === 0) return undefined;
  return Buffer.from(JSON.stringify(tokens)).toString('base64url');
}

/** Throws `InvalidQueryError` for a text that is no token. A store that is not bound here is passed over. */
export async function observeToken(stores: ReadonlyMap<string, Store>, token: string): Promise<void> {
  for (const [name, part] of Object.entries(parse(token))) await stores.get(name)?.causality?.observe(part);
}

function parse(token: string): Record<string, string> {
  try {
    const tokens: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (
      typeof tokens === 'object' &&
      tokens !== null &&
      Object.values(tokens).every((part) => typeof part === 'string')
    ) {
      return tokens as Record<string, string>;
    }
  } catch {
    // not even JSON
  }
  throw new InvalidQueryError(
    'The causal token is not one of this library. Pass it as receipt.causalToken or weave.causalToken() gave it.',
  );
}
