/**
 * On whose behalf something is done: what an application tells a unit of work, and what records of changes and reads
 * keep of it. Nothing here is checked or guessed; what the application does not say is absent.
 */

/** Where a request came from. */
export interface Origin {
  /** Region that served it. */
  readonly region?: string;
  /** Machine that served it. */
  readonly host?: string;
  /** Network address of whoever asked. */
  readonly address?: string;
}

/** Who acts, why, and from where. */
export interface Attribution {
  /** Who acts; for audit and for messages. */
  readonly actor?: string;
  /** Why it is done, in the application's words; for audit. */
  readonly reason?: string;
  /** Where it was asked for; for audit. */
  readonly from?: Origin;
}
