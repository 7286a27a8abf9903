/** Names that no other test has, for what it makes on a server that it may share. */
import { randomBytes } from 'node:crypto';

/** At most 43 characters `a-z0-9_`, which begin with those of `name`: good for every product. */
export function freshName(name: string): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 30);
  return `${readable}_${randomBytes(6).toString('hex')}`;
}
