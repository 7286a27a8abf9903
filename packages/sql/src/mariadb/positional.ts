/** `$1`, `$2` … of a compiled statement as `?`, with the values in the order of their places. */

interface Compiled {
  readonly text: string;
  /** Which value each place takes. */
  readonly order: readonly number[];
}

/** Quoted names and texts, which are left alone, or a parameter. */
const parts = /`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|\$(\d+)/gs;
const MAX_KNOWN = 1000;
const known = new Map<string, Compiled>();

export function positional(
  text: string,
  values: readonly (string | null)[],
): { readonly text: string; readonly values: (string | null)[] } {
  let compiled = known.get(text);
  if (compiled === undefined) {
    const order: number[] = [];
    const sent = text.replace(parts, (part, n: string | undefined) => {
      if (n === undefined) return part;
      order.push(Number(n) - 1);
      return '?';
    });
    compiled = { text: sent, order };
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, compiled);
  }
  return { text: compiled.text, values: compiled.order.map((i) => values[i] ?? null) };
}
