import { memoryStore } from '@storeweave/testing';
import { describe, expect, it } from 'vitest';
import { Relational } from '../decorators/models.js';
import { Id, Property } from '../decorators/property.js';
import { ManyToOne } from '../decorators/relations.js';
import { InvalidStateError } from '../errors/errors.js';
import { compileDomain } from '../metadata/compile.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Ref } from '../relations/ref.js';
import type { ChangeSet, DeleteChange, InsertChange } from './change.js';
import { CommitPlan } from './commit-plan.js';
import { planWrites } from './planner.js';

@Relational()
class Team {
  @Id('string') id!: string;
  @ManyToOne(() => Person, { nullable: true }) lead!: Ref<Person>;
}

@Relational()
class Person {
  @Id('string') id!: string;
  @ManyToOne(() => Team) team!: Ref<Team>;
}

@Relational()
class Egg {
  @Id('string') id!: string;
  @ManyToOne(() => Hen) laidBy!: Ref<Hen>;
}

@Relational()
class Hen {
  @Id('string') id!: string;
  @ManyToOne(() => Egg) from!: Ref<Egg>;
}

@Relational()
class Ticket {
  @Id('integer', { generated: 'sequence' }) id!: number;
  @ManyToOne(() => Ticket, { nullable: true }) parent!: Ref<Ticket>;
  @Property('string') text!: string;
}

const domain = compileDomain([Team, Person, Egg, Hen, Ticket]);
const store = memoryStore();

function insert(target: abstract new () => object, values: Record<string, unknown>): InsertChange {
  const entity = domain.of(target);
  const row: Row = entity.fields.map((field) =>
    field.name in values ? values[field.name] : field.generated === 'sequence' ? undefined : null,
  );
  return { op: 'insert', entity, row, parents: [] };
}

/** `child.relation = parent`, with the key if it is known. */
function refer(child: InsertChange, relation: string, parent: InsertChange): InsertChange {
  const { join } = child.entity.relationsByName.get(relation) ?? {};
  if (join?.via !== 'owner') throw new Error('no reference');
  const [field, target] = [join.fields[0], join.targetFields[0]];
  if (field === undefined || target === undefined) throw new Error('no key');
  child.row[field.index] = parent.row[target.index];
  return Object.assign(child, {
    parents: [...child.parents, { parent, fields: join.fields, targetFields: join.targetFields }],
  });
}

function plan(changes: Partial<ChangeSet>) {
  return planWrites({ inserts: [], updates: [], deletes: [], notes: [], ...changes }, () => store);
}

const outline = (changes: Partial<ChangeSet>) =>
  plan(changes).map((write) => `${write.operation} ${write.entity.name} ${write.count}`);

describe('new rows', () => {
  it('are written with parents first, a class at a time, whatever their order', () => {
    const teams = ['a', 'b'].map((id) => insert(Team, { id }));
    const people = teams.flatMap((team) => [1, 2].map((n) => refer(insert(Person, { id: `${n}` }), 'team', team)));
    expect(outline({ inserts: [...people, ...teams] })).toEqual(['insert Team 2', 'insert Person 4']);
  });

  it('that refer to each other in a circle are written with null first', () => {
    const team = insert(Team, { id: 't' });
    const person = refer(insert(Person, { id: 'p' }), 'team', team);
    refer(team, 'lead', person);
    const writes = plan({ inserts: [person, team] });
    expect(writes.map((write) => `${write.operation} ${write.entity.name}`)).toEqual([
      'insert Team',
      'insert Person',
      'update Team',
    ]);
    expect(writes[0]?.toBatch()).toMatchObject({ rows: [['t', null]] });
    expect(writes[2]?.toBatch()).toMatchObject({ rows: [['p']], keys: [['t']] });
    expect(team.row).toEqual(['t', 'p']);
  });

  it('whose classes could refer to each other, but which do not, need no detour', () => {
    const team = insert(Team, { id: 't' });
    const person = refer(insert(Person, { id: 'p' }), 'team', team);
    expect(outline({ inserts: [person, team] })).toEqual(['insert Team 1', 'insert Person 1']);
  });

  it('of classes that only refer by required references are ordered row by row', () => {
    const stored = insert(Hen, { id: 'first' });
    const egg = refer(insert(Egg, { id: 'e1' }), 'laidBy', stored);
    Object.assign(egg, { parents: [] });
    const hen = refer(insert(Hen, { id: 'h1' }), 'from', egg);
    const second = refer(insert(Egg, { id: 'e2' }), 'laidBy', hen);
    expect(outline({ inserts: [second, hen, egg] })).toEqual(['insert Egg 1', 'insert Hen 1', 'insert Egg 1']);
  });

  it('that can in no order be written say which reference to loosen', () => {
    const egg = insert(Egg, { id: 'e' });
    const hen = refer(insert(Hen, { id: 'h' }), 'from', egg);
    refer(egg, 'laidBy', hen);
    expect(() => plan({ inserts: [egg, hen] })).toThrow(InvalidStateError);
    expect(() => plan({ inserts: [egg, hen] })).toThrow(/Egg.laidBy.*Hen.from|Hen.from.*Egg.laidBy/);
  });

  it('with ids from the store get them before what refers to them is sent', () => {
    const parent = insert(Ticket, { text: 'parent' });
    const child = refer(insert(Ticket, { text: 'child' }), 'parent', parent);
    const writes = plan({ inserts: [child, parent] });
    const first = writes[0]?.toBatch();
    if (first?.op !== 'insert') throw new Error('no insert');
    expect(first.returning?.map((field) => field.name)).toEqual(['id']);
    expect(first.rows.map((row) => row[0])).toEqual([null, null]);
    writes[0]?.returned([[11], [12]]);
    expect(writes[1]?.toBatch()).toMatchObject({ op: 'update', keys: [[11]], rows: [[12]] });
  });
});

describe('deletions', () => {
  const remove = (target: abstract new () => object, key: string, values: Record<string, unknown>): DeleteChange => {
    const entity: EntityModel = domain.of(target);
    return { op: 'delete', entity, key: [key], row: entity.fields.map((f) => values[f.name] ?? null), lenient: true };
  };

  it('are sent with children first', () => {
    const deletes = [remove(Team, 't', {}), remove(Person, 'p', { team: 't' })];
    expect(outline({ deletes })).toEqual(['delete Person 1', 'delete Team 1']);
  });

  it('in a circle let go of what may be null first', () => {
    const deletes = [remove(Team, 't', { lead: 'p' }), remove(Person, 'p', { team: 't' })];
    expect(outline({ deletes })).toEqual(['update Team 1', 'delete Person 1', 'delete Team 1']);
  });
});

describe('a plan', () => {
  it('shows what it would do as data and as text', () => {
    const inserts = Array.from({ length: 1_204 }, (_, at) => insert(Team, { id: `t${at}` }));
    const made = new CommitPlan(plan({ inserts: [...inserts, insert(Ticket, { text: 'x' })] }), [
      'something is read first',
    ]);
    expect(made.isEmpty).toBe(false);
    expect(made.rows).toBe(1_205);
    expect(made.operations[0]).toMatchObject({
      domain: 'memory',
      store: 'relational',
      entity: 'Team',
      operation: 'insert',
      count: 1_204,
      fields: ['id', 'lead'],
    });
    expect(made.operations[0]?.keys).toHaveLength(1_204);
    expect(JSON.parse(JSON.stringify(made))).toMatchObject({ operations: [{ entity: 'Team' }, { keys: [null] }] });
    expect(String(made)).toBe(
      [
        '1,205 rows in 2 batches, 1 domain',
        'domain memory',
        '  insert Team   in relational  1,204 rows  t0, t1, t2 and 1,201 more',
        '         id, lead',
        '  insert Ticket in relational  1 row  (made by the store)',
        '         parent, text',
        'note: something is read first',
      ].join('\n'),
    );
    expect(String(new CommitPlan([]))).toBe('Nothing to commit.');
  });
});
