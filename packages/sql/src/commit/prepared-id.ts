/**
 * Names of prepared transactions. They are known to the whole server and not only to one database, and two domains of a
 * unit of work may even be on the same one: so each has the owner, which is what is searched for, and a part of its own.
 */
import { randomBytes } from 'node:crypto';
import { ConfigurationError, type FenceOwner } from '@storeweave/core';
import { unitId } from './unit-id.js';

export const PREPARED_PREFIX = 'storeweave:';
/** PostgreSQL takes less than 200 bytes. */
const MAX_BYTES = 199;
const FORM = /^storeweave:([0-9a-f-]{36}):([^:]*):[0-9a-f]{8}$/;

/** What all names of an owner begin with. Safe between quotes. */
export function preparedPrefix({ unitOfWork, coordinator }: FenceOwner): string {
  return `${PREPARED_PREFIX}${unitId(unitOfWork)}:${encodeURIComponent(coordinator).replaceAll("'", '%27')}:`;
}

/** A new name. Throws `ConfigurationError` for a coordinator whose name leaves no room. */
export function preparedId(owner: FenceOwner): string {
  const id = `${preparedPrefix(owner)}${randomBytes(4).toString('hex')}`;
  if (id.length <= MAX_BYTES) return id;
  throw new ConfigurationError(
    `The name of the coordinating store, "${owner.coordinator}", is too long for a prepared transaction of PostgreSQL by ${id.length - MAX_BYTES} letters (a letter that is not a-z counts three times or more). Bind the store to a shorter one.`,
    { store: owner.coordinator },
  );
}

/** Whose it is; undefined for a name that is not of this form. */
export function preparedOwner(id: string): FenceOwner | undefined {
  const [, unitOfWork, coordinator] = FORM.exec(id) ?? [];
  if (unitOfWork === undefined || coordinator === undefined) return undefined;
  try {
    return { unitOfWork, coordinator: decodeURIComponent(coordinator) };
  } catch {
    return undefined;
  }
}
