/** TypeORM 1.x by its own `save` and `find`. */
import { DataSource, EntitySchema } from 'typeorm';
import type { RelationalContender, TrackedEmployee } from './contender.js';

interface Row extends TrackedEmployee {
  id: string;
}

const schema = new EntitySchema<Row & Record<string, unknown>>({
  name: 'Employee',
  tableName: 'employees',
  columns: {
    id: { type: 'uuid', primary: true },
    name: { type: 'varchar' },
    email: { type: 'varchar' },
    age: { type: 'integer' },
    score: { type: 'double precision' },
    salary: { type: 'numeric', precision: 12, scale: 2 },
    active: { type: 'boolean' },
    hiredAt: { type: 'timestamptz', name: 'hired_at' },
    note: { type: 'text', nullable: true },
    version: { type: 'integer', version: true },
  },
});

export function typeormItself(): RelationalContender {
  let source: DataSource | undefined;
  let tracked: Row[] = [];
  const repository = () => {
    if (source === undefined) throw new Error('not open');
    return source.getRepository(schema);
  };
  return {
    name: 'typeorm',
    async open(url) {
      source = await new DataSource({ type: 'postgres', url, entities: [schema] }).initialize();
    },
    close: async () => void (await source?.destroy()),
    async insert(rows) {
      // Its statements have a parameter for each value, and PostgreSQL takes 65,535.
      await repository().save(
        rows.map((row) => repository().create({ ...row })),
        { chunk: 5_000 },
      );
      return rows.length;
    },
    load: () => repository().find(),
    async loadTracked() {
      tracked = await repository().find();
      return tracked;
    },
    // It keeps no snapshots: saving finds what changed by loading everything again.
    commitChanges: async () => void (await repository().save(tracked as never[], { chunk: 5_000 })),
    byId: (id) => repository().findOneBy({ id }),
  };
}
