/** `like` patterns: by a text operator of Cypher where one does it (indexes know them), else by a regular expression. */

export interface Like {
  readonly operator: '=' | 'STARTS WITH' | 'ENDS WITH' | 'CONTAINS' | '=~';
  readonly text: string;
}

/** % stands for any text, _ for one character, a backslash takes the meaning from what follows. */
export function likeOf(pattern: string, ignoreCase: boolean): Like {
  const parts = parse(pattern);
  const literal = parts.filter((part) => part !== ANY && part !== ONE).join('');
  if (!ignoreCase && !parts.includes(ONE)) {
    const first = parts[0] === ANY;
    const last = parts.length > 1 && parts[parts.length - 1] === ANY;
    const inner = parts.slice(first ? 1 : 0, last ? -1 : undefined);
    if (!inner.includes(ANY)) {
      if (first && last) return { operator: 'CONTAINS', text: literal };
      if (first) return { operator: 'ENDS WITH', text: literal };
      if (last) return { operator: 'STARTS WITH', text: literal };
      return { operator: '=', text: literal };
    }
  }
  const source = parts.map((part) => (part === ANY ? '.*' : part === ONE ? '.' : literally(part))).join('');
  return { operator: '=~', text: `${ignoreCase ? '(?isu)' : '(?s)'}${source}` };
}

const ANY = Symbol('%');
const ONE = Symbol('_');

function parse(pattern: string): (string | typeof ANY | typeof ONE)[] {
  const parts: (string | typeof ANY | typeof ONE)[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const at = characters[i] as string;
    if (at === '\\' && i + 1 < characters.length) parts.push(characters[++i] as string);
    else if (at === '%') {
      if (parts[parts.length - 1] !== ANY) parts.push(ANY);
    } else parts.push(at === '_' ? ONE : at);
  }
  return parts;
}

/** In Java's regular expressions a backslash takes the meaning from anything that is no letter or digit. */
function literally(character: string | symbol): string {
  const text = String(character);
  return /^[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]$/.test(text) ? `\\${text}` : text;
}
