/**
 * The records themselves, as entities like any other: they can be found, paged, counted and exported. They live in the
 * store that coordinates commits, so their class says nothing about where; `open()` does.
 */

import { MAX_TEXT } from '../../audit/plain-value.js';
import { p } from '../../decorators/builders.js';
import { defineEntity } from '../../decorators/define-entity.js';

const short = { nullable: true, length: MAX_TEXT } as const;

const onBehalf = {
  /** Who acted, as the unit of work was told; null where it was not. */
  actor: p.string(short),
  /** Why. */
  reason: p.text({ nullable: true }),
  /** Region that served the request. */
  region: p.string(short),
  /** Machine that served the request. */
  host: p.string(short),
  /** Network address of whoever asked. */
  address: p.string(short),
};

/** One change of one audited entity, written by the transaction that made it. Ordered by `id`, which is made by time. */
export class AuditLog extends defineEntity({
  name: 'AuditLog',
  model: 'relational',
  table: 'audit_logs',
  props: {
    id: p.id(),
    unitOfWork: p.uuid(),
    at: p.timestamp(),
    /** Name of the entity; of a many-to-many or graph relation `Owner.relation`. */
    entity: p.string({ length: 255 }),
    /** Its id as a text; of a composite id the JSON object of its parts. */
    key: p.string({ length: MAX_TEXT }),
    /** `insert`, `update`, `softDelete` or `delete`. */
    operation: p.string({ length: 20 }),
    /** Values by property, of an update those that changed; null for an insert. */
    before: p.jsonOrNull<Readonly<Record<string, unknown>>>(),
    /** The same after the change; null for a deletion. */
    after: p.jsonOrNull<Readonly<Record<string, unknown>>>(),
    ...onBehalf,
  },
  indexes: [{ on: ['entity', 'key'] }, { on: ['unitOfWork'] }],
}) {}

/** One query of an entity that is audited with `reads: true`. Written in the background. */
export class DataAccessLog extends defineEntity({
  name: 'DataAccessLog',
  model: 'relational',
  table: 'data_access_logs',
  props: {
    id: p.id(),
    /** Null for a call outside of a unit of work. */
    unitOfWork: p.uuid({ nullable: true }),
    at: p.timestamp(),
    entity: p.string({ length: 255 }),
    /** `read`, `count`, `aggregate` or `window`. */
    operation: p.string({ length: 20 }),
    /** Ids of what was read as texts, the first 1,000 of them; null where the query did not give them. */
    keys: p.jsonOrNull<readonly string[]>(),
    /** What was asked for, in words; null for everything. */
    filter: p.text({ nullable: true }),
    /** Number of rows that were given, or were counted. */
    count: p.integer(),
    ...onBehalf,
  },
  indexes: [{ on: ['entity', 'at'] }, { on: ['unitOfWork'] }],
}) {}
