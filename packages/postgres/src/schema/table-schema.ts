/**
 * Plans and applies the tables of a store. Applying locks out other processes that do the same, plans again under the
 * lock and runs what is then still missing, so two of them at once do the work once.
 */
import type { Access, SchemaChange, SchemaStore } from '@storeweave/core';
import { lockSchema, type SqlDomain, type SqlSession } from '@storeweave/sql';
import { readCatalogue } from './catalogue.js';
import { type TableDesign, tableOf } from './design.js';
import { difference } from './difference.js';

export class TableSchema implements SchemaStore {
  constructor(
    private readonly domain: SqlDomain,
    private readonly designs: () => readonly TableDesign[],
  ) {}

  async plan(access: Access): Promise<SchemaChange[]> {
    return this.domain.use(access, (session) => this.#plan(session));
  }

  async apply(changes: readonly SchemaChange[], access: Access): Promise<void> {
    const wanted = new Set(changes.map(({ summary }) => summary));
    if (access.transaction !== undefined) {
      await this.domain.use(access, (session) => this.#apply(session, wanted));
      return;
    }
    const transaction = await this.domain.begin({ ...access, label: access.label ?? 'schema' });
    try {
      await this.domain.use({ ...access, transaction }, (session) => this.#apply(session, wanted));
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    await transaction.commit();
  }

  async #apply(session: SqlSession, wanted: ReadonlySet<string>): Promise<void> {
    await lockSchema(session);
    for (const change of await this.#plan(session)) {
      if (!wanted.has(change.summary)) continue;
      for (const text of change.statements) await session.query({ text, values: [] });
    }
  }

  async #plan(session: SqlSession): Promise<SchemaChange[]> {
    const designs = this.designs();
    if (designs.length === 0) return [];
    const catalogue = await readCatalogue(session, designs);
    const found = designs.flatMap((design) => {
      const table = catalogue.find(design);
      return table === undefined || !['r', 'p'].includes(table.kind) ? [] : [{ design, table }];
    });
    if (found.length > 0) {
      const probes = found.map(({ design }) => `not exists (select 1 from ${tableOf(design)})`);
      const { rows } = await session.query({ text: `select ${probes.join(', ')}`, values: [] });
      found.forEach(({ table }, i) => {
        table.isEmpty = rows[0]?.[i] === 't';
      });
    }
    return difference(designs, catalogue);
  }
}
