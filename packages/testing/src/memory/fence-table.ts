/** Fences of a memory domain: locks by name that are a unit of work's, and no transaction's. */
import { FencedError, type FenceOwner } from '@storeweave/core';

export class FenceTable {
  readonly #owners = new Map<string, FenceOwner>();

  /** Throws `FencedError` where another unit of work holds the lock. */
  check(name: string, unitOfWork: string | undefined): void {
    const owner = this.#owners.get(name);
    if (owner === undefined || owner.unitOfWork === unitOfWork) return;
    throw new FencedError(
      `${name} is held by the unit of work ${owner.unitOfWork}. Do it again when that is settled.`,
      [owner],
    );
  }

  has(name: string, unitOfWork: string): boolean {
    return this.#owners.get(name)?.unitOfWork === unitOfWork;
  }

  put(names: Iterable<string>, owner: FenceOwner): void {
    for (const name of names) this.#owners.set(name, owner);
  }

  clear(unitOfWork: string): void {
    for (const [name, owner] of this.#owners) if (owner.unitOfWork === unitOfWork) this.#owners.delete(name);
  }

  owners(): FenceOwner[] {
    return [...new Map([...this.#owners.values()].map((owner) => [owner.unitOfWork, owner])).values()];
  }
}
