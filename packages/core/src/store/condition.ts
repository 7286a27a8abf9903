/**
 * A filter after the core has checked and normalised it: fields instead of names, neutral values instead of the
 * class's own, no `null` or `undefined` comparands (absence has its own operator). A store only translates it.
 */

import type { RelationModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';

/** What is compared: a field, or a value inside a json field by its path. */
export interface Operand {
  readonly field: Field;
  /** Keys into a json field; array positions as decimal strings. Values are then compared by their JSON type. */
  readonly path?: readonly string[];
}

export type Condition =
  | { readonly op: 'and' | 'or'; readonly conditions: readonly Condition[] } // empty `and` is true, empty `or` is false
  | { readonly op: 'not'; readonly condition: Condition } // exact complement: true also where the inner one is unknown
  | { readonly op: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'; readonly on: Operand; readonly value: Value } // `ne` is true for an absent value
  | { readonly op: 'in' | 'notIn'; readonly on: Operand; readonly values: readonly Value[] } // `notIn` is true for an absent value
  | { readonly op: 'between'; readonly on: Operand; readonly low: Value; readonly high: Value } // both ends included
  | { readonly op: 'like' | 'ilike'; readonly on: Operand; readonly pattern: string } // % and _; backslash escapes
  /** Array field: has all of these elements. Json: contains this value in PostgreSQL's sense of `@>`. String: has this substring. */
  | { readonly op: 'contains'; readonly on: Operand; readonly value: Value }
  | { readonly op: 'exists'; readonly on: Operand; readonly present: boolean } // present: not null
  /** The tuple of fields is one of these rows; how the core reads by composite key. */
  | { readonly op: 'keys'; readonly fields: readonly Field[]; readonly rows: readonly (readonly Value[])[] }
  /** Some related entity satisfies `where`. Only sent to stores with `relationFilters`, for relations inside one store. */
  | { readonly op: 'related'; readonly relation: RelationModel; readonly where: Condition };
