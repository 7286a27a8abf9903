/**
 * What a MongoDB lets nobody write, shown by plain writes through its own client. A fence that is only left behind can be
 * written over; a document or a collection that cannot is held by something in the server that no longer has a client, and
 * no protocol above it can free that. It tells a server that hangs from a commit that left something.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, type Filter, type MongoClient, ObjectId } from 'mongodb';

const COLLECTIONS = ['profiles', 'profile_marks', 'profile_counters'];
/** A field that nothing else looks at. */
const PROBE = '_probe';

/** Each document with a fence as `collection/id`, and each collection; `patienceMs` is how long a write is waited for. */
export async function unwritable(client: MongoClient, patienceMs: number): Promise<string[]> {
  const db = client.db();
  const found = await Promise.all(
    COLLECTIONS.map(async (name) => {
      const collection = db.collection(name);
      const isWritten = (filter: Filter<Document>) => {
        const written = collection.updateOne(filter, { $set: { [PROBE]: 1 } });
        const answered = written.then(
          () => true,
          () => true,
        );
        // The driver's own limits do not end what a server is still at work on.
        return Promise.race([answered, sleep(patienceMs, false)]);
      };
      // Of a server that waits with a lock on the collection, it is not answered although there is no such document.
      if (!(await isWritten({ _id: new ObjectId() }))) return [name];
      const fenced = await collection.find({ _f: { $exists: true } }, { projection: { _id: 1 } }).toArray();
      const held = await Promise.all(
        fenced.map(async ({ _id }) => ((await isWritten({ _id })) ? [] : [`${name}/${_id}`])),
      );
      return held.flat();
    }),
  );
  return found.flat();
}

/** Takes away what the writes left; not before a server that held them runs anew. */
export async function withoutProbes(client: MongoClient): Promise<void> {
  for (const name of COLLECTIONS) {
    await client
      .db()
      .collection(name)
      .updateMany({ [PROBE]: { $exists: true } }, { $unset: { [PROBE]: '' } });
  }
}
