/** What those are told who ask for everything to be finished, and who must not take a store that is down for nothing to do. */
/** What became of everything that was to be finished. */
export interface DrainReport {
  /** Units of work that are applied everywhere now. */
  readonly finished: number;
  /** Units of work that are not, fences that still stand, and stores that could not be asked for theirs. */
  readonly failed: number;
  /** Why the first of them failed. */
  readonly error?: unknown;
}
