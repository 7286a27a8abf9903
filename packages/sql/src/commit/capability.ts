/** What the domain of a store can do in a commit over several; part of what the store declares. */
import type { Capabilities } from '@storeweave/core';
import type { SqlDomain } from '../session.js';

/** These capabilities, and that. Asked each time: how a domain takes part is known only when its server has answered. */
export function withCommit(domain: SqlDomain, capabilities: Omit<Capabilities, 'commit'>): Capabilities {
  return {
    ...capabilities,
    get commit() {
      const { coordinator, participant } = domain;
      if (coordinator === undefined && participant === undefined) return undefined;
      const participates = participant === undefined ? {} : { participates: 'prepare' as const };
      return { coordinates: coordinator !== undefined, ...participates };
    },
  };
}
