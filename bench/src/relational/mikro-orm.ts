/** MikroORM 7; it wants Node 22 or later. */
import { defineEntity, type EntityManager, MikroORM, p } from '@mikro-orm/postgresql';
import type { RelationalContender, TrackedEmployee } from './contender.js';

const Employee = defineEntity({
  name: 'Employee',
  tableName: 'employees',
  properties: {
    id: p.uuid().primary(),
    name: p.string(),
    email: p.string(),
    age: p.integer(),
    score: p.double(),
    salary: p.decimal('string').precision(12).scale(2),
    active: p.boolean(),
    hiredAt: p.datetime().fieldName('hired_at'),
    note: p.text().nullable(),
    version: p.integer().version(),
  },
});

export function mikroOrm(): RelationalContender {
  let orm: MikroORM | undefined;
  let manager: EntityManager | undefined;
  const fork = (): EntityManager => {
    if (orm === undefined) throw new Error('not open');
    return orm.em.fork() as EntityManager;
  };
  return {
    name: 'mikro-orm',
    async open(clientUrl) {
      orm = await MikroORM.init({ clientUrl, entities: [Employee] });
    },
    close: async () => void (await orm?.close()),
    async insert(rows) {
      const em = fork();
      for (const row of rows) em.persist(em.create(Employee, { ...row } as never));
      await em.flush();
      return rows.length;
    },
    load: () => fork().find(Employee, {}, { disableIdentityMap: true }),
    async loadTracked() {
      manager = fork();
      return (await manager.find(Employee, {})) as unknown as TrackedEmployee[];
    },
    commitChanges: async () => void (await manager?.flush()),
    byId: (id) => fork().findOne(Employee, { id } as never),
  };
}
