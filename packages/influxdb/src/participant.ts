/**
 * The store beside another coordinator: points are written after the decision, so whatever the server would refuse has to
 * be found before it. Points are only ever added in such a unit of work: without transactions, one that was changed or
 * deleted by a late request could not be told from one that was written since.
 */
import {
  type Access,
  CapabilityError,
  type CommitParticipant,
  type EntityModel,
  type FenceOwner,
  SchemaError,
  type WriteBatch,
} from '@storeweave/core';
import { fieldTypes } from './field-types.js';
import type { Layout } from './names.js';
import { prepare } from './send.js';
import { fieldForm } from './values.js';
import { completeRows, type WriteContext } from './write.js';

/** How long types that fit are taken to fit. In milliseconds. */
const FITS_FOR_MS = 60_000;

export class InfluxdbParticipant implements CommitParticipant {
  /** When the types of a measurement were last seen to fit, by a clock that only goes forward. */
  readonly #fitAt = new WeakMap<Layout, number>();

  constructor(private readonly contextOf: (entity: EntityModel, access: Access) => WriteContext) {}

  async check(batches: readonly WriteBatch[], access: Access): Promise<void> {
    const contexts = new Map<Layout, WriteContext>();
    for (const batch of batches) {
      const { entity } = batch;
      if (batch.op !== 'insert') {
        throw new CapabilityError(
          `Points of ${entity.name} cannot be ${batch.op === 'update' ? 'changed' : 'deleted'} in a unit of work over several stores: InfluxDB has no transactions, and a late request would undo what came after. Add points in it, and ${batch.op === 'update' ? 'change' : 'delete'} them by themselves.`,
          { entity: entity.name, store: entity.store },
        );
      }
      const context = this.contextOf(entity, access);
      contexts.set(context.layout, context);
      prepare(context.layout, completeRows(batch));
    }
    await Promise.all([...contexts.values()].map((context) => this.#checkTypes(context)));
  }

  /** Nothing is left on the server that a decision could be missing for. */
  async owners(): Promise<readonly FenceOwner[]> {
    return [];
  }

  /** The server drops points whose field has another type, and says so only when they are written. */
  async #checkTypes({ layout, connection, call }: WriteContext): Promise<void> {
    const { entity, bucket, measurement } = layout;
    const now = performance.now();
    if (now - (this.#fitAt.get(layout) ?? Number.NEGATIVE_INFINITY) < FITS_FOR_MS) return;
    const types = (await fieldTypes({ bucket, measurement }, connection, call)).get(measurement);
    for (const field of layout.measures) {
      const { kind } = fieldForm(field);
      const others = [...(types?.get(field.column) ?? [])].filter((type) => type !== kind);
      if (others.length === 0) continue;
      throw new SchemaError(
        `Field ${field.column} of ${measurement} has points of type ${others.join(', ')} in bucket ${bucket}, and ${entity.name}.${field.name} is kept as ${kind}: the server could refuse the points after the unit of work is decided. Give it another column, or move its points.`,
        { entity: entity.name, property: field.name, store: entity.store },
      );
    }
    this.#fitAt.set(layout, now);
  }
}
