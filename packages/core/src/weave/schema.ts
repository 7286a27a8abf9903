/**
 * `weave.schema`: the difference between the stores and the metadata, as data and as readable text, and the means to
 * bring the stores up. Nothing that could lose data is done unless it is asked for by name.
 */
import { SchemaError } from '../errors/errors.js';
import type { SchemaChange } from '../store/schema.js';
import type { Store } from '../store/store.js';

/** A change with the logical name of the store it is for. */
export type PlannedChange = SchemaChange & { readonly store: string };

/** The difference between all stores and the metadata. `toString()` is for people. */
export class SchemaPlan {
  constructor(readonly changes: readonly PlannedChange[]) {}

  /** True where the stores are as the metadata wants them; drift alone does not count. */
  get isEmpty(): boolean {
    return this.changes.every((change) => change.kind === 'drift');
  }

  toString(): string {
    if (this.changes.length === 0) return 'The schema matches the metadata.';
    return this.changes
      .map((change) => {
        const mark = change.kind === 'drift' ? 'drift' : change.destructive ? 'destructive' : change.kind;
        const statements = change.statements.map((statement) => `\n    ${statement}`).join('');
        return `[${mark}] ${change.store}: ${change.summary}${statements}`;
      })
      .join('\n');
  }
}

export interface SchemaApplyOptions {
  /** Also apply changes that lose values or may be refused by existing rows. Default: false, and they are left out. */
  readonly allowDestructive?: boolean;
}

/** What `open()` does with the schema: bring it up, refuse to open where it differs, or not look at it. */
export type SchemaMode = 'apply' | 'verify' | 'ignore';

export class Schema {
  constructor(private readonly stores: Readonly<Record<string, Store>>) {}

  /** The difference, store by store, in the order to apply it. Changes nothing. */
  async plan(): Promise<SchemaPlan> {
    const changes: PlannedChange[] = [];
    for (const [name, store] of Object.entries(this.stores)) {
      const planned = (await store.schema?.plan({ label: 'schema plan' })) ?? [];
      changes.push(...planned.map((change) => ({ ...change, store: name })));
    }
    return new SchemaPlan(changes);
  }

  /**
   * Brings the stores up to the metadata and returns what was done. Safe while other processes do the same.
   * Destructive changes are left out unless `allowDestructive` is set. Throws the store's error if a change is refused.
   */
  async apply(options: SchemaApplyOptions = {}): Promise<SchemaPlan> {
    const plan = await this.plan();
    const chosen = plan.changes.filter(
      (change) => change.kind !== 'drift' && (options.allowDestructive === true || !change.destructive),
    );
    await this.run(chosen);
    return new SchemaPlan(chosen);
  }

  /** What `open()` calls. Throws `SchemaError` where a change is needed that this mode does not make. */
  async prepare(mode: SchemaMode): Promise<void> {
    if (mode === 'ignore') return;
    // What a store has too much of does not stop this version of the application: another may still need it.
    const needed = (await this.plan()).changes.filter((change) => change.kind !== 'drift' && change.kind !== 'drop');
    if (mode === 'apply') await this.run(needed.filter((change) => !change.destructive));
    const open = mode === 'apply' ? needed.filter((change) => change.destructive) : needed;
    if (open.length === 0) return;
    throw new SchemaError(
      `The schema does not match the metadata:\n${new SchemaPlan(open)}\n` +
        (mode === 'verify'
          ? "Run weave.schema.apply() in a deployment step, or open with schema: 'apply'."
          : 'These changes may lose data: make them by a migration, or by schema.apply({ allowDestructive: true }) after ' +
            "opening with schema: 'ignore'."),
    );
  }

  private async run(changes: readonly PlannedChange[]): Promise<void> {
    for (const [name, store] of Object.entries(this.stores)) {
      const own = changes.filter((change) => change.store === name);
      if (own.length > 0) await store.schema?.apply(own, { label: 'schema apply' });
    }
  }
}
