/**
 * Changes of documents as readers see them: a placeholder is an insertion when it is applied, a reservation is nothing,
 * and a fence that comes and goes changes nothing. What stands when the stream begins is not known to it: of a fence that
 * goes without anything else it then says `update`, since the document may be new.
 */
import type { ChangeStreamDocument, Document } from 'mongodb';
import { FENCE, FENCE_OP } from './fence-form.js';
import { isReservationId } from './reservation.js';
import { bsonText } from './unique-keys.js';

type Kind = 'insert' | 'update' | 'replace' | 'delete';

/** A change of one document, as the server tells it. */
export type DocumentChange = Extract<ChangeStreamDocument, { operationType: Kind }>;

export class FencesSeen {
  /** What the fences that stand are for, by identity. */
  readonly #ops = new Map<string, unknown>();

  /** The kind of change that readers see; undefined where they see none. */
  kindOf(change: DocumentChange): Kind | undefined {
    const { _id } = change.documentKey;
    if (isReservationId(_id)) return undefined;
    const id = bsonText(_id);
    switch (change.operationType) {
      case 'insert':
        return this.#stands(id, change.fullDocument[FENCE]) ? undefined : 'insert';
      case 'replace':
        return this.#end(id) === 'new' ? 'insert' : 'replace';
      case 'delete':
        return this.#end(id) === 'new' ? undefined : 'delete';
      case 'update':
        return this.#update(id, change.updateDescription);
    }
  }

  #update(id: string, { updatedFields, removedFields }: UpdateDescription): Kind | undefined {
    if (this.#stands(id, updatedFields?.[FENCE]) || updatedFields?.[FENCE_OP] !== undefined) return undefined;
    if (removedFields?.includes(FENCE) !== true) return 'update';
    const before = this.#end(id);
    if (before === 'new') return 'insert';
    const isMore = Object.keys(updatedFields ?? {}).length > 0 || removedFields.length > 1;
    return before === 'known' && !isMore ? undefined : 'update';
  }

  #stands(id: string, fence: unknown): boolean {
    if (typeof fence !== 'object' || fence === null) return false;
    this.#ops.set(id, (fence as Document).op);
    return true;
  }

  #end(id: string): 'new' | 'known' | 'unknown' {
    const op = this.#ops.get(id);
    this.#ops.delete(id);
    if (op === undefined) return 'unknown';
    return op === 'insert' || op === 'reserve' ? 'new' : 'known';
  }
}

interface UpdateDescription {
  readonly updatedFields?: Document;
  readonly removedFields?: readonly string[];
}
