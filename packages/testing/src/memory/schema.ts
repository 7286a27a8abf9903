/** The memory store's schema: which tables and columns have been declared. Real enough for plans, drift and drops. */
import { type EntityModel, type SchemaChange, SchemaError, type SchemaStore } from '@storeweave/core';
import type { MemoryDomain } from './domain.js';
import { tableName } from './tables.js';

export class MemorySchema implements SchemaStore {
  constructor(
    private readonly domain: MemoryDomain,
    private readonly entities: () => readonly EntityModel[],
    private readonly names: () => readonly string[],
  ) {}

  async plan(): Promise<SchemaChange[]> {
    const changes: SchemaChange[] = [];
    const wanted = new Set<string>();
    for (const entity of this.entities()) {
      const table = tableName(entity);
      wanted.add(table);
      const columns = entity.fields.map((field) => field.column);
      const declared = this.domain.declared.get(table);
      if (declared === undefined) {
        changes.push(change('create', `create table ${table}`, `create ${table} ${columns.join(' ')}`, entity.name));
        continue;
      }
      for (const column of columns)
        if (!declared.has(column))
          changes.push(change('alter', `add ${column} to ${table}`, `add ${table} ${column}`, entity.name));
      for (const column of declared)
        if (!columns.includes(column))
          changes.push(change('drop', `drop ${column} of ${table}`, `remove ${table} ${column}`, entity.name));
    }
    for (const table of this.domain.declared.keys())
      if (!wanted.has(table) && this.names().some((name) => table.startsWith(`${name}/`)))
        changes.push(change('drop', `drop table ${table}`, `drop ${table}`));
    return changes;
  }

  async apply(changes: readonly SchemaChange[]): Promise<void> {
    for (const statement of changes.flatMap((each) => each.statements)) {
      const [verb, table = '', ...columns] = statement.split(' ');
      const declared = this.domain.declared.get(table) ?? new Set<string>();
      if (verb === 'create' || verb === 'add') this.domain.declared.set(table, new Set([...declared, ...columns]));
      else if (verb === 'remove') for (const column of columns) declared.delete(column);
      else if (verb === 'drop') this.domain.drop(table);
      else
        throw new SchemaError(
          `The memory store does not know the statement '${statement}'. Apply changes of its own plan.`,
        );
    }
  }
}

function change(kind: SchemaChange['kind'], summary: string, statement: string, entity?: string): SchemaChange {
  return {
    kind,
    summary,
    statements: [statement],
    destructive: kind === 'drop',
    ...(entity === undefined ? {} : { entity }),
  };
}
