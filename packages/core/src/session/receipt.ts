/** What a commit tells its caller, for as long as anybody keeps it. */
import type { AcrossOutcome, StoreOutcome } from '../commit/across/engine.js';

/** What a commit has done. */
export interface Receipt {
  /** Id of the unit of work. */
  readonly id: string;
  /** `applied`: everything is written in every store. `pending`: decided, and the rest follows, whatever happens. */
  readonly status: StoreOutcome;
  /** How each logical store beside the coordinator stands, where several databases were written to. */
  readonly stores: Readonly<Record<string, StoreOutcome>>;
  /** Names of the transaction domains that were written to. */
  readonly domains: readonly string[];
  /** Number of rows written. */
  readonly rows: number;
  /** For `weave.observe` of another process, which then reads nothing older. Absent where no store has anything to wait for. */
  readonly causalToken?: string;
}

export function receiptOf(
  id: string,
  outcome: AcrossOutcome | undefined,
  written: { readonly domains: readonly string[]; readonly rows: number },
  causalToken: string | undefined,
): Receipt {
  return {
    id,
    status: [...(outcome?.stores.values() ?? [])].includes('pending') ? 'pending' : 'applied',
    stores: Object.fromEntries(outcome?.stores ?? []),
    domains: written.domains,
    rows: written.rows,
    ...(causalToken !== undefined && { causalToken }),
  };
}
