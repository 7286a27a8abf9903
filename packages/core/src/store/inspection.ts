/** What a server says of itself, for those who look after it: `diagnose()` and the command line's `doctor`. */

export interface StoreInspection {
  /** Name of the product, as its makers write it. */
  readonly product: string;
  /** As the server says it. */
  readonly version: string;
  /** The server's clock at the moment of its answer, in milliseconds since the epoch; absent where it tells none. */
  readonly clockMs?: number;
  /** What this server lacks that some feature wants, each with what to do: for people. */
  readonly missing: readonly string[];
}
