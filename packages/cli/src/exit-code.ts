/** Exit codes of the command, for scripts and deployment steps. */
export const ExitCode = {
  /** Done, and as it should be. */
  ok: 0,
  /** The command did its work, and what it found is not as it should be: pending changes, a store that does not answer. */
  differs: 1,
  /** The command line or the configuration file cannot be understood. */
  usage: 2,
  /** The work failed. */
  failed: 3,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
