/**
 * The pieces of Flux that this store writes. Whatever comes from the application or its metadata goes in as a literal
 * made here: a string with everything escaped that could end it, or a time by its nanoseconds.
 */

/**
 * A string literal. All but plain characters are given by their code: the language's own escapes are not enough, as a
 * dollar sign before an escaped `${` opens an interpolation all the same.
 */
export function fluxString(text: string): string {
  const escaped = text.replaceAll(
    /[^A-Za-z0-9 _.,:;()/@~+\-\u0080-\uffff]/g,
    (at) => `\\x${at.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}

/** A time literal, by nanoseconds since the epoch. */
export function fluxTime(nanos: bigint): string {
  return `time(v: ${nanos})`;
}

/** `a or b or c`, nested to a depth that does not grow with their number as a chain would. */
export function fluxAny(parts: readonly string[]): string {
  if (parts.length <= 2) return parts.length === 1 ? (parts[0] ?? 'false') : `(${parts.join(' or ')})`;
  const half = Math.ceil(parts.length / 2);
  return `(${fluxAny(parts.slice(0, half))} or ${fluxAny(parts.slice(half))})`;
}

/** `r["tag"] == "value"`. */
export function fluxEquals(column: string, text: string): string {
  return `r[${fluxString(column)}] == ${fluxString(text)}`;
}
