/** The entity of the embedded benchmark: ten columns of the types that real tables have. */
import { Id, Property, Relational, Version } from '@storeweave/core';

@Relational({ table: 'employees' })
export class Employee {
  @Id() id!: string;
  @Property('string') name!: string;
  @Property('string') email!: string;
  @Property('integer') age!: number;
  @Property('float') score!: number;
  @Property('decimal', { precision: 12, scale: 2 }) salary!: string;
  @Property('boolean') active!: boolean;
  @Property('timestamp') hiredAt!: Date;
  @Property('text', { nullable: true }) note!: string | null;
  @Version() version!: number;
}

/** What an application has in hand before it writes: plain data, ids included. */
export interface EmployeeData {
  id: string;
  name: string;
  email: string;
  age: number;
  score: number;
  salary: string;
  active: boolean;
  hiredAt: Date;
  note: string | null;
}

export function employees(n: number, newId: () => string): EmployeeData[] {
  return Array.from({ length: n }, (_, i) => ({
    id: newId(),
    name: `Employee "${i}" of the house`,
    email: `employee.${i}@example.org`,
    age: 20 + (i % 50),
    score: i / 7,
    salary: `${30_000 + (i % 9_000)}.50`,
    active: i % 3 !== 0,
    hiredAt: new Date(Date.UTC(2001, 0, 1) + i * 60_000),
    note: i % 4 === 0 ? null : `note ${i} with, commas \\ and {braces}`,
  }));
}
