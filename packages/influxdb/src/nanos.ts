/** Instants as nanoseconds since the epoch, which is how the server counts; a bigint, as no number can hold them. */

/** First and last instant that the server keeps and finds. (It keeps one more, and then does not find it.) */
export const MIN_TIME = -9_223_372_036_854_775_806n;
export const MAX_TIME = 9_223_372_036_854_775_805n;

export function earlier(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

export function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
