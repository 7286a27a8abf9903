/** How far a store has seen the history of its database: a reader elsewhere that is told so sees no less. */
export interface Causality {
  /** As a short text; undefined where there is nothing to wait for. Asks no server. */
  token(): Promise<string | undefined>;
  /** Lets later calls see at least that. Throws `InvalidQueryError` for a text that is no token of such a store. */
  observe(token: string): Promise<void>;
}
