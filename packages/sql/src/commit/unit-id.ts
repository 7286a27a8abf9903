/**
 * Ids of units of work on their way into statements. Some of the statements of a commit take no parameters (PREPARE
 * TRANSACTION, several statements in one request), so an id is held against its form before anything else is done.
 */
import { InvalidValueError } from '@storeweave/core';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id, which may stand between quotes as it is. Throws `InvalidValueError` unless it is a UUID. */
export function unitId(unitOfWork: string): string {
  if (UUID.test(unitOfWork)) return unitOfWork.toLowerCase();
  throw new InvalidValueError(
    `${JSON.stringify(unitOfWork)} is not the id of a unit of work, which is a UUID. Where it was read from a fence, that fence was not put up by Storeweave.`,
  );
}

/** Several ids as the text of a `uuid[]`. */
export function unitIds(unitsOfWork: readonly string[]): string {
  return `{${unitsOfWork.map(unitId).join(',')}}`;
}

/** SQL of the key of the claim's lock. Two ids with one key only wait for each other. */
export function claimKey(id: string): string {
  return `hashtextextended('storeweave unit of work ' || ${id}, 0)`;
}

/** Takes the claim of a unit of work, whose id is given as SQL, until the transaction is over. */
export function claimStatement(id: string): string {
  // With asynchronous commit the decision could be seen, acted upon, and then be lost.
  return `select pg_advisory_xact_lock(${claimKey(id)}),
      case current_setting('synchronous_commit') when 'off' then set_config('synchronous_commit', 'local', true) end`;
}
