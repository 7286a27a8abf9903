/** `pg` by hand, batched: what the others are compared with. */
import pg from 'pg';
import * as hand from '../hand-written.js';
import type { RelationalContender } from './contender.js';

export function byHand(): RelationalContender {
  const client = { current: new pg.Client() };
  let tracked: hand.Loaded[] = [];
  let before: string[] = [];
  return {
    name: 'hand-written',
    async open(connectionString) {
      client.current = new pg.Client({ connectionString });
      await client.current.connect();
    },
    close: () => client.current.end(),
    insert: (rows) => hand.insert(client.current, rows, 'employees'),
    load: () => hand.load(client.current, 'employees'),
    async loadTracked() {
      tracked = await hand.load(client.current, 'employees');
      before = tracked.map((row) => row.name);
      return tracked;
    },
    async commitChanges() {
      await hand.update(
        client.current,
        tracked.filter((row, at) => row.name !== before[at]),
        'employees',
      );
    },
    async byId(id) {
      const { rows } = await client.current.query({
        name: 'by_id',
        text: 'select id, name, email, age, score, salary, active, hired_at, note, version from employees where id = $1',
        values: [id],
      });
      return rows[0];
    },
  };
}
