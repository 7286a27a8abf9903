/**
 * What there is to make on the server: buckets, with how long they keep their points. Measurements, tags and fields come
 * into being by writing; what does not fit of them is reported (`drift.ts`).
 */
import { type Access, type SchemaChange, SchemaError, type SchemaStore } from '@storeweave/core';
import type { Connection } from './connection.js';
import { driftOf } from './drift.js';
import type { Call } from './errors.js';
import type { Layout } from './names.js';

interface Bucket {
  readonly id: string;
  readonly name: string;
  readonly orgID: string;
  readonly retentionRules: readonly { readonly type: 'expire'; readonly everySeconds: number }[];
}

export class InfluxdbSchema implements SchemaStore {
  constructor(
    private readonly connection: Connection,
    private readonly layouts: () => readonly Layout[],
  ) {}

  async plan(access: Access): Promise<SchemaChange[]> {
    const call: Call = { doing: 'compare the schema', access };
    const buckets = await this.#buckets(call);
    const changes: SchemaChange[] = [];
    for (const [name, { retentionMs, entity }] of this.#wanted()) {
      const found = buckets.get(name);
      const everySeconds = Math.ceil((retentionMs ?? 0) / 1_000);
      const owner = retentionMs === undefined ? {} : { entity: entity.name };
      if (found === undefined) {
        const kept = everySeconds === 0 ? 'for ever' : `for ${everySeconds} s`;
        changes.push({
          ...owner,
          kind: 'create',
          summary: `create bucket ${name}, which keeps points ${kept}`,
          statements: [`create bucket ${JSON.stringify({ name, everySeconds })}`],
          destructive: false,
        });
        continue;
      }
      const actual = found.retentionRules[0]?.everySeconds ?? 0;
      if (actual === everySeconds) continue;
      const isShorter = everySeconds !== 0 && (actual === 0 || everySeconds < actual);
      changes.push({
        ...owner,
        kind: 'alter',
        summary: `let bucket ${name} keep points ${everySeconds === 0 ? 'for ever' : `for ${everySeconds} s`} instead of ${actual === 0 ? 'for ever' : `${actual} s`}`,
        statements: [`alter bucket ${JSON.stringify({ name, everySeconds })}`],
        destructive: isShorter,
      });
    }
    return [...changes, ...(await driftOf(this.layouts(), new Set(buckets.keys()), this.connection, call))];
  }

  async apply(changes: readonly SchemaChange[], access: Access): Promise<void> {
    const call: Call = { doing: 'change the schema', access };
    for (const statement of changes.flatMap((change) => change.statements)) {
      const [, verb, text] = /^(create|alter) bucket (\{.*\})$/.exec(statement) ?? [];
      if (verb === undefined || text === undefined) {
        throw new SchemaError(
          `The InfluxDB store does not know the statement '${statement}'. Apply changes of its own plan.`,
        );
      }
      const { name, everySeconds } = JSON.parse(text) as { name: string; everySeconds: number };
      const retentionRules = everySeconds === 0 ? [] : [{ type: 'expire', everySeconds }];
      const existing = (await this.#buckets(call)).get(name);
      if (existing !== undefined) {
        const path = `/api/v2/buckets/${existing.id}`;
        await this.connection.request({ method: 'PATCH', path, body: { retentionRules } }, call);
        continue;
      }
      const body = { name, orgID: await this.#organisation(call), retentionRules, description: 'Made by Storeweave.' };
      try {
        await this.connection.request({ method: 'POST', path: '/api/v2/buckets', body }, call);
      } catch (error) {
        // Another process made it in between.
        if (!(await this.#buckets(call)).has(name)) throw error;
      }
    }
  }

  #wanted(): Map<string, Layout> {
    return new Map(this.layouts().map((layout) => [layout.bucket, layout]));
  }

  async #organisation(call: Call): Promise<string> {
    const { org } = this.connection;
    const { orgs } = await this.connection.request<{ orgs: { id: string }[] }>(
      { method: 'GET', path: '/api/v2/orgs', query: { org } },
      call,
    );
    const [found] = orgs;
    if (found !== undefined) return found.id;
    throw new SchemaError(`The organisation ${JSON.stringify(org)} is not there, or the token may not see it.`);
  }

  async #buckets(call: Call): Promise<Map<string, Bucket>> {
    const found = new Map<string, Bucket>();
    const limit = 100;
    for (let offset = 0; ; offset += limit) {
      const query = { org: this.connection.org, limit: String(limit), offset: String(offset) };
      const { buckets } = await this.connection.request<{ buckets: Bucket[] }>(
        { method: 'GET', path: '/api/v2/buckets', query },
        call,
      );
      for (const bucket of buckets) found.set(bucket.name, bucket);
      if (buckets.length < limit) return found;
    }
  }
}
